#include "gdsd/train/checkpoint.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "gdsd/base/file.h"

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

std::string fingerprint(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::vector<char> buffer(1 << 20);
  XXH3_state_t hash;
  XXH3_64bits_reset(&hash);
  while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || in.gcount() > 0)
    XXH3_64bits_update(&hash, buffer.data(), static_cast<size_t>(in.gcount()));
  check(in.eof(), "[checkpoint] ", file.string(), ": cannot read this file.");
  return concat(std::hex, XXH3_64bits_digest(&hash));
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

/// Throws Error unless every file is as the manifest says.
void verify(const fs::path& folder) {
  const json manifest = json::parse(read_file(folder / "manifest.json"), nullptr, false);
  check(manifest.is_object(), "[checkpoint] ", (folder / "manifest.json").string(),
        ": not a JSON object.");
  for (const auto& [name, expected] : manifest.items()) {
    const fs::path file = folder / name;
    check(fs::is_regular_file(file), "[checkpoint] ", file.string(), ": is missing.");
    check(fs::file_size(file) == expected.value("bytes", uint64_t{0}), "[checkpoint] ",
          file.string(), ": has ", fs::file_size(file), " bytes, expected ",
          expected.value("bytes", uint64_t{0}), ".");
    check(fingerprint(file) == expected.value("xxh3", ""), "[checkpoint] ", file.string(),
          ": its contents have changed.");
  }
}

RunState read_state(const fs::path& folder) {
  const fs::path file = folder / "trainer" / "state.json";
  try {
    const json j = json::parse(read_file(file));
    RunState state{.step = j.at("step"), .metrics_bytes = j.at("metrics_bytes"), .score = {}};
    if (!j.at("score").is_null()) state.score = j.at("score").get<double>();
    return state;
  } catch (const json::exception& e) {
    throw Error(concat("[checkpoint] ", file.string(), ": ", e.what(), "."));
  }
}

std::optional<double> score_of(const fs::path& folder) {
  try {
    return read_state(folder).score;
  } catch (const Error&) {
    return {};  // corrupt: of no use to anybody, so never the best
  }
}

/// Steps of checkpoints from best to worst, the later first among equals; those without a score
/// left out.
std::vector<int64_t> ranked(const fs::path& run_dir) {
  std::vector<std::pair<double, int64_t>> scored;
  for (const auto& [step, folder] : list(run_dir))
    if (const auto score = score_of(folder)) scored.emplace_back(*score, step);
  std::sort(scored.rbegin(), scored.rend());
  std::vector<int64_t> steps;
  steps.reserve(scored.size());
  for (const auto& [score, step] : scored) steps.push_back(step);
  return steps;
}

/// Points RUN/<name> at a checkpoint, at once.
void link(const fs::path& run_dir, const char* name, int64_t step) {
  const fs::path temporary = run_dir / concat(".", name, ".tmp");
  fs::remove(temporary);
  fs::create_directory_symlink(fs::path("checkpoints") / step_name(step), temporary);
  fs::rename(temporary, run_dir / name);
}

void relink(const fs::path& run_dir) {
  if (const auto all = list(run_dir); !all.empty()) link(run_dir, "latest", all.rbegin()->first);
  if (const auto best = ranked(run_dir); !best.empty()) link(run_dir, "best", best[0]);
}

/// A checkpoint of a later step than the newest saved is one that a resumed run found damaged.
void remove_surplus(const fs::path& run_dir, int64_t newest, const Retention& keep) {
  const auto all = list(run_dir);
  std::set<int64_t> kept;
  for (auto it = all.rbegin(); it != all.rend(); ++it)
    if (it->first <= newest && static_cast<int64_t>(kept.size()) < keep.last)
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

std::optional<Checkpoint> newest_checkpoint(const fs::path& run_dir,
                                            const std::function<void(const std::string&)>& warn) {
  const auto all = list(run_dir);
  for (auto it = all.rbegin(); it != all.rend(); ++it) {
    try {
      verify(it->second);
      return Checkpoint{it->second, read_state(it->second)};
    } catch (const Error& e) {
      warn(concat(e.what(), " This checkpoint is damaged; looking for the one before it."));
    }
  }
  check(all.empty(), "[run_dir] ", run_dir.string(),
        ": every checkpoint is damaged, so there is "
        "nothing to go on from. Add --fresh to set this folder aside and begin anew.");
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
                     {"score", state.score ? json(*state.score) : json(nullptr)}};
    write_file(temporary / "trainer" / "state.json", saved.dump(2) + "\n");
    write_file(temporary / "manifest.json", manifest_of(temporary).dump(2) + "\n");
    fs::remove_all(folder);  // a damaged one of the same step
    fs::rename(temporary, folder);
    sync_folder(folder.parent_path());
    remove_surplus(run_dir, state.step, keep);
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

void repair_checkpoints(const fs::path& run_dir) {
  std::vector<fs::path> unfinished;
  for (const auto& entry : fs::directory_iterator(run_dir / "checkpoints"))
    if (entry.path().filename().string().starts_with(".")) unfinished.push_back(entry.path());
  for (const fs::path& folder : unfinished) fs::remove_all(folder);
  relink(run_dir);
}

std::optional<double> best_score(const fs::path& run_dir) {
  const auto best = ranked(run_dir);
  return best.empty() ? std::nullopt : score_of(list(run_dir).at(best[0]));
}

}  // namespace gdsd
