#include "cli/data.h"

#include <iostream>

#include "cli/keys.h"
#include "cli/rows.h"
#include "cli/targets.h"
#include "gdsd/base/file.h"
#include "gdsd/base/yaml.h"
#include "gdsd/data/prepare.h"
#include "gdsd/denoiser/model.h"
#include "gdsd/text/chat.h"

namespace gdsd {

namespace {

namespace fs = std::filesystem;

/// What of a config these verbs look at.
struct DataOptions {
  TaskOptions task;
  std::string model;

  template <class F>
  void fields(F&& f) {
    f("task", task, "where problems come from");
    f("model", model, "folder of the model whose chat template words them");
  }
};

bool is_assignment(const std::string& word) { return word.find('=') != std::string::npos; }

Split split_of(const DataArguments& arguments) {
  check(arguments.split == "train" || arguments.split == "test", "[--split] got '", arguments.split,
        "', expected train or test.");
  return arguments.split == "train" ? Split::kTrain : Split::kHeldOut;
}

std::string word_at(const DataArguments& arguments, size_t i, const char* what) {
  check(i < arguments.words.size() && !is_assignment(arguments.words[i]), "data ",
        arguments.words[0], ": expected ", what, " after it. `gdsd data --help` shows how.");
  return arguments.words[i];
}

/// "side=9" of a task that is named without a config: "task.side=9".
std::vector<Setting> task_settings(const std::string& name, std::span<const std::string> words) {
  std::vector<Setting> settings{{"task.name", name, "command line"}};
  for (const std::string& word : words) {
    check(is_assignment(word), "data: got '", word, "', expected key=value after the task.");
    Setting s = parse_override(word);
    if (!s.path.starts_with("task.") && s.path != "model") s.path = "task." + s.path;
    settings.push_back(std::move(s));
  }
  return settings;
}

/// Those of a config, whichever verb it is for: other keys are not looked at.
std::vector<Setting> config_settings(const fs::path& file, std::span<const std::string> words) {
  std::vector<Setting> settings = read_settings(file, words, list_fields(DataOptions{}));
  std::erase_if(settings, [&](const Setting& s) {
    const bool of_the_file = s.where.starts_with(file.string());
    return of_the_file && s.path != "model" && s.path != "task" && !s.path.starts_with("task.");
  });
  return settings;
}

DataOptions options_of(const DataArguments& arguments) {
  const std::string first = word_at(arguments, 1, "a task or a config");
  const std::span<const std::string> rest(arguments.words.begin() + 2, arguments.words.end());
  const bool config = fs::is_regular_file(first);
  const auto settings = config ? config_settings(first, rest) : task_settings(first, rest);
  return apply_settings<DataOptions>(config ? fs::path(first) : fs::path("command line"), settings,
                                     {});
}

/// Throws Error, before any work, for a file that must not or cannot be written.
void check_out(const DataArguments& arguments) {
  check(!arguments.out.empty(), "data ", arguments.words[0], ": expected --out FILE.jsonl.");
  check_target("--out", arguments.out);
  check(arguments.force || !fs::exists(arguments.out), "[--out] ", arguments.out,
        ": exists. --force overwrites it.");
}

void write_lines(const fs::path& out, const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  write_file(out, text);
  print_row("wrote", concat(out.string(), ": ", lines.size(), " problems"));
}

int prepare_files(const DataArguments& arguments) {
  const std::string name = word_at(arguments, 1, "a task");
  word_at(arguments, 2, "files to read");
  check_out(arguments);
  TaskOptions task;
  if (!emplace_by_name(task, name))
    throw Error(concat("data prepare: got '", name, "', expected ",
                       fields_detail::alternative_names<TaskOptions>(), "."));
  const std::vector<fs::path> files(arguments.words.begin() + 2, arguments.words.end());
  const Prepared prepared = prepare(task, files);
  write_lines(arguments.out, prepared.lines);
  for (const std::string& note : prepared.notes) print_row("note", note);
  return kExitDone;
}

int generate_file(const DataArguments& arguments) {
  constexpr int64_t kUsual = 1000;
  check_out(arguments);
  const DataOptions options = options_of(arguments);
  const Split split = split_of(arguments);
  const int64_t n = arguments.n == 0 ? kUsual : arguments.n;
  check(n > 0 && n <= 100'000'000, "[--n] got ", n, ", expected 1 to 100000000.");
  const Key key = Key{arguments.seed}.fork("data").fork(arguments.split);
  write_lines(arguments.out, generate(options.task, split, n, key));
  return kExitDone;
}

void print_example(int64_t i, const Example& example) {
  std::cout << "--- " << i + 1 << ": " << example.source << "\n"
            << example.prompt << "\n--- answer\n"
            << example.answer << "\n";
  for (const std::string& test : example.tests) std::cout << "--- test\n" << test << "\n";
}

int show(const DataArguments& arguments) {
  constexpr int64_t kUsual = 3;
  const DataOptions options = options_of(arguments);
  const Split split = split_of(arguments);
  const std::string model = arguments.model.empty() ? options.model : arguments.model;
  const bool there = !model.empty() && fs::exists(model);
  check(there || arguments.model.empty(), "[--model] ", model, ": no such folder.");
  if (!there)
    std::cerr << "gdsd: " << (model.empty() ? "no --model is given" : model + " is not there")
              << ": prompts are shown without a chat template\n";
  const ChatTemplate chat = there ? chat_of(model) : ChatTemplate::kNone;
  const auto problems = problems_of(options.task, chat);
  int64_t n = arguments.n == 0 ? kUsual : arguments.n;
  check(n > 0, "[--n] got ", n, ", expected at least 1.");
  if (split == Split::kHeldOut) n = std::min(n, problems->held_out_size().value_or(n));
  const Key key = Key{arguments.seed}.fork("show");
  for (int64_t i = 0; i < n; ++i)
    print_example(i, split == Split::kHeldOut ? problems->held_out(i)
                                              : problems->draw(split, key.fork("problem", i)));
  return kExitDone;
}

}  // namespace

std::string data_keys() {
  return "prepare TASK FILE… --out OUT.jsonl: published files as one that tasks read\n"
         "show CONFIG|TASK [key=value…]: prompts as the model sees them, with answers\n"
         "generate sudoku|countdown [key=value…] --out OUT.jsonl: problems to keep\n" +
         describe_keys<DataOptions>();
}

int run_data(const DataArguments& arguments) {
  const std::string what = arguments.words.empty() ? "" : arguments.words[0];
  if (what == "prepare") return prepare_files(arguments);
  if (what == "show") return show(arguments);
  if (what == "generate") return generate_file(arguments);
  throw Error(concat("data: got '", what, "', expected prepare, show or generate."));
}

}  // namespace gdsd
