#include "gdsd/base/yaml.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "gdsd/base/file.h"

namespace gdsd {

namespace {

namespace fs = std::filesystem;

std::string place(const std::string& file, const YAML::Mark& mark) {
  return concat(file, ":", mark.line + 1, ":", mark.column + 1);
}

/// Walks through the sections of one file.
struct Reader {
  const std::string file;
  std::set<std::pair<int, int>> seen = {};  // line and column of every value
  std::vector<Setting> settings = {};

  void section(const YAML::Node& node, const std::string& prefix) {
    std::set<std::string> keys;
    for (const auto& pair : node) {
      const std::string where = place(file, pair.first.Mark());
      check(pair.first.IsScalar(), where, ": a key must be a word.");
      const std::string& key = pair.first.Scalar();
      const std::string path = fields_detail::join(prefix, key);
      check(keys.insert(key).second, where, ": ", path, " is given twice.");
      check(key != "<<", where, ": merge keys (<<) are not known here; write the options out.");
      value(pair.second, path, where);
    }
  }

  void value(const YAML::Node& node, const std::string& path, const std::string& where) {
    check(node.IsMap() || node.IsScalar(), where, ": ", path,
          ": expected a value or a section, got ", node.IsSequence() ? "a list." : "nothing.");
    // An alias is the very node that it stands for, which may contain it.
    check(seen.emplace(node.Mark().line, node.Mark().column).second, where, ": ", path,
          ": aliases (*) are not known here; write the value out.");
    if (node.IsMap()) return section(node, path);
    settings.push_back({path, node.Scalar(), place(file, node.Mark())});
  }
};

/// The file's text, or an Error that says what the path is instead of a file.
std::string text_of(const fs::path& file) {
  check(!file.empty(), "[config] the path of the config file is empty.");
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  check(status.type() != fs::file_type::not_found, file.string(), ": no such config file.");
  check(!error, file.string(), ": ", error.message(), ".");
  if (fs::is_directory(status)) {
    const fs::path inside = file / "config.yaml";
    const std::string hint = fs::exists(inside, error) ? concat(" (", inside.string(), "?)") : "";
    throw Error(concat(file.string(), ": is a folder, expected a YAML file", hint, "."));
  }
  check(fs::is_regular_file(status), file.string(), ": is not a regular file.");
  return read_file(file);
}

bool chooses(const Setting& setting, const std::vector<Field>& known) {
  if (setting.path == "name" || setting.path.ends_with(".name")) return true;
  return std::any_of(known.begin(), known.end(), [&](const Field& field) {
    return field.path == setting.path + ".name";  // objective=espo
  });
}

/// "objective" of what chooses its kind, which is "objective.name=espo" or "objective=espo".
std::string section_of(const std::string& path) {
  return path.ends_with(".name") ? path.substr(0, path.size() - 5) : path;
}

/// A choice takes the defaults of what it names. One that says once more what the file or the
/// defaults have chosen must leave the file's values as they are: it goes.
void drop_idle_choices(std::vector<Setting>& overrides, const std::vector<Setting>& file,
                       const std::vector<Field>& known) {
  std::map<std::string, std::string> chosen;  // by section
  for (const Field& field : known)
    if (field.path.ends_with(".name")) chosen[section_of(field.path)] = field.text;
  for (const Setting& s : file)
    if (chooses(s, known)) chosen[section_of(s.path)] = s.text;
  std::erase_if(overrides, [&](const Setting& s) {
    return chooses(s, known) && std::exchange(chosen[section_of(s.path)], s.text) == s.text;
  });
}

/// Choices first, those of outer sections before those inside; otherwise as it was.
void put_choices_first(std::vector<Setting>& settings, const std::vector<Field>& known) {
  const auto rank = [&](const Setting& s) {
    return chooses(s, known) ? std::count(s.path.begin(), s.path.end(), '.') : 1000;
  };
  std::stable_sort(settings.begin(), settings.end(),
                   [&](const Setting& a, const Setting& b) { return rank(a) < rank(b); });
}

}  // namespace

std::vector<Setting> read_yaml(const fs::path& file) {
  const std::string text = text_of(file), name = file.string();
  std::vector<YAML::Node> documents;
  try {
    documents = YAML::LoadAll(text);
  } catch (const YAML::Exception& e) {
    throw Error(place(name, e.mark) + ": not YAML: " + e.msg + ".");
  }
  check(!documents.empty() && !documents[0].IsNull(), name, ": this config file is empty.");
  check(documents.size() == 1, name, ": expected one YAML document, got ", documents.size(), ".");
  check(documents[0].IsMap(), name, ":1:1: expected `key: value` lines.");
  Reader reader{.file = name};
  reader.section(documents[0], "");
  return reader.settings;
}

Setting parse_override(const std::string& argument) {
  const size_t eq = argument.find('=');
  check(eq != std::string::npos && eq > 0, "command line: '", argument,
        "' is not of the form key.path=value.");
  return {argument.substr(0, eq), argument.substr(eq + 1), "command line"};
}

std::string to_yaml(std::span<const Field> fields) {
  YAML::Node root(YAML::NodeType::Map);
  for (const Field& field : fields) {
    YAML::Node node = root;
    size_t begin = 0;
    for (size_t dot; (dot = field.path.find('.', begin)) != std::string::npos; begin = dot + 1)
      node.reset(node[field.path.substr(begin, dot - begin)]);
    node[field.path.substr(begin)] = field.text;
  }
  YAML::Emitter out;
  out << root;
  return std::string(out.c_str()) + "\n";
}

std::vector<Setting> read_settings(const fs::path& file, std::span<const std::string> overrides,
                                   const std::vector<Field>& known) {
  std::vector<Setting> settings = read_yaml(file), stronger;
  for (const std::string& argument : overrides) stronger.push_back(parse_override(argument));
  put_choices_first(settings, known);
  put_choices_first(stronger, known);
  drop_idle_choices(stronger, settings, known);
  settings.insert(settings.end(), stronger.begin(), stronger.end());
  return settings;
}

Error located(const FieldError& e, const fs::path& file, std::span<const Setting> settings,
              const std::vector<Field>& known, const std::vector<Field>& alternatives) {
  std::string where = file.string();
  for (const Setting& s : settings)
    if (s.path == e.path || s.path + ".name" == e.path) where = s.where;
  std::string hint;
  if (e.message == kUnknownOption) {
    hint = suggestion(e.path, known);
    const std::string marked = e.path + " [";  // as list_alternatives writes "objective.psi [gdsd]"
    std::string owners;
    for (const Field& other : alternatives)
      if (other.path.starts_with(marked))
        owners +=
            concat(owners.empty() ? "" : " or ", "'",
                   other.path.substr(marked.size(), other.path.size() - marked.size() - 1), "'");
    if (!owners.empty()) hint = concat("It belongs to ", owners, ", which is not chosen.");
    if (hint.empty()) hint = "`--help` lists them all.";
  }
  return Error(concat(where, where.empty() ? "" : ": ", e.path, ": ", e.message,
                      hint.empty() ? "" : " ", hint));
}

}  // namespace gdsd
