#include "gdsd/base/yaml.h"

#include <yaml-cpp/yaml.h>

#include <fstream>
#include <set>

namespace gdsd {

namespace {

std::string place(const std::string& file, const YAML::Mark& mark) {
  return concat(file, ":", mark.line + 1, ":", mark.column + 1);
}

void flatten(const YAML::Node& node, const std::string& file, const std::string& prefix,
             std::vector<Setting>& out) {
  std::set<std::string> seen;
  auto visit = [&](const YAML::Node& key, const YAML::Node& value) {
    const std::string where = place(file, key.Mark());
    check(key.IsScalar(), where, ": a key must be a word.");
    const std::string path = fields_detail::join(prefix, key.Scalar());
    check(seen.insert(key.Scalar()).second, where, ": ", path, " is given twice.");
    if (value.IsMap()) return flatten(value, file, path, out);
    check(value.IsScalar(), where, ": ", path, ": expected a value or a section, got ",
          value.IsSequence() ? "a list." : "nothing.");
    out.push_back({path, value.Scalar(), place(file, value.Mark())});
  };
  for (const auto& pair : node)  // what kind of section it is decides which keys it may have
    if (pair.first.IsScalar() && pair.first.Scalar() == "name") visit(pair.first, pair.second);
  for (const auto& pair : node)
    if (!pair.first.IsScalar() || pair.first.Scalar() != "name") visit(pair.first, pair.second);
}

}  // namespace

std::vector<Setting> read_yaml(const std::filesystem::path& file) {
  std::ifstream in(file);
  check(in.good() && std::filesystem::is_regular_file(file), file.string(),
        ": cannot read this config file. Is the path right?");
  YAML::Node root;
  try {
    root = YAML::Load(in);
  } catch (const YAML::ParserException& e) {
    throw Error(place(file.string(), e.mark) + ": not YAML: " + e.msg + ".");
  }
  std::vector<Setting> out;
  check(root.IsMap() || root.IsNull(), file.string(), ":1:1: expected `key: value` lines.");
  if (root.IsMap()) flatten(root, file.string(), "", out);
  return out;
}

Setting parse_override(const std::string& argument) {
  const size_t eq = argument.find('=');
  check(eq != std::string::npos && eq > 0, "command line: '", argument,
        "' is not of the form key.path=value.");
  return {argument.substr(0, eq), argument.substr(eq + 1), "command line"};
}

std::vector<Setting> settings_of(const std::filesystem::path& file,
                                 std::span<const std::string> overrides) {
  std::vector<Setting> settings;
  if (!file.empty()) settings = read_yaml(file);
  for (const std::string& argument : overrides) settings.push_back(parse_override(argument));
  return settings;
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

Error located(const FieldError& e, std::span<const Setting> settings,
              const std::vector<Field>& known) {
  std::string where = "default";
  for (const Setting& s : settings)
    if (s.path == e.path || s.path + ".name" == e.path) where = s.where;
  std::string text = where + ": " + e.path + ": " + e.message;
  if (e.message == "unknown option.") {
    const std::string hint = suggestion(e.path, known);
    text += hint.empty() ? " `--help` lists them all." : " " + hint;
  }
  return Error(text);
}

}  // namespace gdsd
