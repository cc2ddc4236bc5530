#include "gdsd/text/python_files.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "gdsd/base/file.h"

namespace gdsd {
namespace {

bool is_plain(char c) { return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0; }

/// The name that `text` begins with.
std::string leading_name(std::string_view text) {
  return std::string(text.begin(), std::find_if_not(text.begin(), text.end(), is_plain));
}

/// The module of "module.Class", or "".
std::string module_of(const std::string& name) {
  std::string module = leading_name(name);
  return name.size() > module.size() && name[module.size()] == '.' ? module : "";
}

/// The modules beside it that a Python file imports: `from .module import …`, `import .module`.
std::vector<std::string> imports(const std::string& python) {
  std::vector<std::string> modules;
  std::istringstream lines(python);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string verb, module;
    if (words >> verb >> module && (verb == "from" || verb == "import") && module[0] == '.')
      modules.push_back(leading_name(std::string_view(module).substr(1)));
  }
  return modules;
}

/// Adds the modules that auto_map or a part of it names.
void add_modules(const nlohmann::json& classes, std::vector<std::string>& modules) {
  if (classes.is_string()) modules.push_back(module_of(classes.get<std::string>()));
  if (classes.is_structured())
    for (const nlohmann::json& part : classes) add_modules(part, modules);
}

}  // namespace

TokenizerFiles read_python_files(const std::filesystem::path& folder,
                                 const nlohmann::json& classes) {
  TokenizerFiles files;
  std::vector<std::string> modules;
  add_modules(classes, modules);
  while (!modules.empty()) {
    const std::string module = modules.back(), name = module + ".py";
    modules.pop_back();
    if (module.empty() || files.contains(name) || !std::filesystem::exists(folder / name)) continue;
    files[name] = read_file(folder / name);
    for (std::string& other : imports(files[name])) modules.push_back(std::move(other));
  }
  return files;
}

}  // namespace gdsd
