#include "gdsd/train/checkpoint.h"

#include <nlohmann/json.hpp>
#include <set>

#include "gdsd/base/file.h"
#include "gdsd/base/fingerprint.h"

namespace gdsd {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string step_name(int64_t step) {
  const std::string digits = std::to_string(step);
  return "step-" + std::string(digits.size() < 6 ? 6 - digits.size() : 0, '0') + digits;
}

/// Every finished checkpoint, by step. Unfinished ones have hidden names.
std::map<int64_t, fs::path> list(const fs::path& run_dir) {
  std::map<int64_t, fs::path> found;
  if (!fs::is_directory(run_dir / "checkpoints")) return found;
  for (const auto& entry : fs::directory_iterator(run_dir / "checkpoints")) {
    const std::string name = entry.path().filename();
    const bool numbered = name.starts_with("step-") && name.size() > 5 && name.size() < 24 &&
                          name.find_first_not_of("0123456789", 5) == std::string::npos;
    if (numbered) found[std::stoll(name.substr(5))] = entry.path();
  }
  return found;
}

/// Relative path → size and fingerprint, of every file below `folder`.
json manifest_of(const fs::path& folder) {
  json files = json::object();
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file())
      files[entry.path().lexically_relative(folder)] = {{"bytes", entry.file_size()},
                                                        {"xxh3", fingerprint(entry.path())}};
  return files;
}

/// What `read` makes of a JSON file; Error if that is not what it expects.
template <class Read>
auto read_json(const fs::path& file, Read read) {
  try {
    return read(json::parse(read_file(file)));
  } catch (const json::exception& e) {
    throw Error(concat("[checkpoint] ", file.string(), ": ", e.what(), "."));
  }
}

struct FileRecord {
  uint64_t bytes;
  std::string xxh3;
};

std::map<std::string, FileRecord> read_manifest(const fs::path& file) {
  return read_json(file, [&](const json& manifest) {
    std::map<std::string, FileRecord> files;
    for (const auto& [name, about] : manifest.items())
      files[name] = {about.at("bytes"), about.at("xxh3")};
    for (const char* name : {"trainer/optimizer.safetensors", "trainer/state.json"})
      check(files.contains(name), "[checkpoint] ", file.string(), ": does not name ", name, ".");
    check(files.contains("model.safetensors") || files.contains("adapter_model.safetensors"),
          "[checkpoint] ", file.string(), ": names no weights.");
    return files;
  });
}

/// The checkpoint in `folder`, of a run that has logged so many bytes. Throws Error unless it is
/// sound.
Checkpoint open_checkpoint(const fs::path& folder, uint64_t logged) {
  try {
    verify(folder);
    const RunState state = read_state(folder);
    check(state.metrics_bytes <= logged, "[run_dir] metrics.jsonl has lost its end, got ", logged,
          " bytes, expected ", state.metrics_bytes, " at ", folder.string(), ".");
    return {folder, state};
  } catch (const fs::filesystem_error& e) {
    throw Error(concat("[checkpoint] ", e.path1().string(), ": ", e.code().message(), "."));
  }
}

std::optional<double> score_of(const fs::path& folder) {
  try {
    return read_state(folder).score;
  } catch (const Error&) {
    return {};  // corrupt: of no use to anybody, so never the best
  }
}

/// Steps of checkpoints from best to worst; of equals the earlier first, which alone was a new
/// best. Those without a score are left out.
std::vector<int64_t> ranked(const fs::path& run_dir) {
  std::vector<std::pair<double, int64_t>> scored;
  for (const auto& [step, folder] : list(run_dir))
    if (const auto score = score_of(folder)) scored.emplace_back(-*score, step);
  std::sort(scored.begin(), scored.end());
  std::vector<int64_t> steps;
  steps.reserve(scored.size());
  for (const auto& [score, step] : scored) steps.push_back(step);
  return steps;
}

/// Points RUN/<name> at a checkpoint, at once.
void link(const fs::path& run_dir, const char* name, int64_t step) {
  const fs::path target = fs::path("checkpoints") / step_name(step);
  std::error_code none;
  if (fs::read_symlink(run_dir / name, none) == target) return;
  const fs::path temporary = run_dir / concat(".", name, ".tmp");
  fs::remove(temporary);
  fs::create_directory_symlink(target, temporary);
  fs::rename(temporary, run_dir / name);
}

void relink(const fs::path& run_dir) {
  if (const auto all = list(run_dir); !all.empty()) link(run_dir, "latest", all.rbegin()->first);
  const auto best = ranked(run_dir);
  if (!best.empty()) link(run_dir, "best", best[0]);
  if (best.empty()) fs::remove(run_dir / "best");
}

void remove_surplus(const fs::path& run_dir, const Retention& keep) {
  const auto all = list(run_dir);
  std::set<int64_t> kept;
  for (auto it = all.rbegin(); it != all.rend() && std::ssize(kept) < keep.last; ++it)
    kept.insert(it->first);
  const auto best = ranked(run_dir);
  for (size_t i = 0; i < best.size() && i < static_cast<size_t>(keep.best); ++i)
    kept.insert(best[i]);
  for (const auto& [step, folder] : all) {
    if (kept.contains(step)) continue;
    const fs::path doomed = folder.parent_path() / concat(".", folder.filename().string(), ".old");
    fs::remove_all(doomed);
    fs::rename(folder, doomed);  // a kill while it is removed must not leave half a checkpoint
    fs::remove_all(doomed);
  }
}

}  // namespace

void verify(const fs::path& folder) {
  for (const auto& [name, expected] : read_manifest(folder / "manifest.json")) {
    const fs::path file = folder / name;
    check(fs::is_regular_file(file), "[checkpoint] ", file.string(), ": is missing.");
    const uint64_t bytes = fs::file_size(file);
    check(bytes == expected.bytes, "[checkpoint] ", file.string(), ": has ", bytes,
          " bytes, expected ", expected.bytes, ".");
    check(fingerprint(file) == expected.xxh3, "[checkpoint] ", file.string(),
          ": its contents have changed.");
  }
}

RunState read_state(const fs::path& checkpoint) {
  return read_json(checkpoint / "trainer" / "state.json", [](const json& j) {
    RunState state{.step = j.at("step"),
                   .metrics_bytes = j.at("metrics_bytes"),
                   .score = {},
                   .model = j.at("model")};
    if (!j.at("score").is_null()) state.score = j.at("score").get<double>();
    return state;
  });
}

std::optional<Checkpoint> newest_checkpoint(const fs::path& run_dir,
                                            const std::function<void(const std::string&)>& warn) {
  const auto all = list(run_dir);
  std::error_code missing;
  const uint64_t length = fs::file_size(run_dir / "metrics.jsonl", missing);
  const uint64_t logged = missing ? 0 : length;
  for (auto it = all.rbegin(); it != all.rend(); ++it) {
    try {
      return open_checkpoint(it->second, logged);
    } catch (const Error& e) {
      warn(concat(e.what(), " This checkpoint is of no use; looking for the one before it."));
    }
  }
  check(all.empty(), "[run_dir] ", run_dir.string(),
        ": no checkpoint is sound, so there is nothing to go on from. Add --fresh to set this "
        "folder aside and begin anew.");
  return {};
}

void save_checkpoint(const fs::path& run_dir, const RunState& state, const Model& model,
                     const Optimizer& optimizer, const Retention& keep) {
  const fs::path folder = run_dir / "checkpoints" / step_name(state.step);
  const fs::path temporary = folder.parent_path() / concat(".", step_name(state.step), ".tmp");
  try {
    fs::remove_all(temporary);  // what a killed run left
    fs::create_directories(temporary / "trainer");
    save_model(temporary, *model.denoiser, *model.tokenizer);
    write_safetensors(temporary / "trainer" / "optimizer.safetensors", optimizer.state());
    const json saved{{"step", state.step},
                     {"metrics_bytes", state.metrics_bytes},
                     {"score", state.score ? json(*state.score) : json(nullptr)},
                     {"model", state.model}};
    write_file(temporary / "trainer" / "state.json", saved.dump(2) + "\n");
    write_file(temporary / "manifest.json", manifest_of(temporary).dump(2) + "\n");
    fs::rename(temporary, folder);
    sync_folder(folder.parent_path());
    remove_surplus(run_dir, keep);
    relink(run_dir);
  } catch (const fs::filesystem_error& e) {
    std::error_code ignored;
    fs::remove_all(temporary, ignored);
    throw Error(concat("[checkpoint] ", folder.string(), ": ", e.code().message(), "."));
  } catch (const Error&) {
    std::error_code ignored;
    fs::remove_all(temporary, ignored);
    throw;
  }
}

void repair_checkpoints(const fs::path& run_dir, int64_t step) {
  std::vector<fs::path> unfinished;
  for (const auto& entry : fs::directory_iterator(run_dir / "checkpoints"))
    if (entry.path().filename().string().starts_with(".")) unfinished.push_back(entry.path());
  for (const fs::path& folder : unfinished) fs::remove_all(folder);
  for (const auto& [later, folder] : list(run_dir))
    if (later > step) fs::rename(folder, free_name(folder.string() + ".damaged"));
  relink(run_dir);
}

std::optional<double> best_score(const fs::path& run_dir) {
  const auto best = ranked(run_dir);
  return best.empty() ? std::nullopt : score_of(list(run_dir).at(best[0]));
}

}  // namespace gdsd
