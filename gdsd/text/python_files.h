// The Python files that a Hugging Face config names: the classes that transformers is to use.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "gdsd/text/tokenizer_files.h"

namespace gdsd {

/// Those of `folder` that `classes` names as auto_map does ("tokenization_dream.DreamTokenizer", or
/// a list or an object of such names), and those they import from beside them. A name of another
/// form, and a file that is not there, are passed over.
TokenizerFiles read_python_files(const std::filesystem::path& folder,
                                 const nlohmann::json& classes);

}  // namespace gdsd
