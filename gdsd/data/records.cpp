#include "gdsd/data/records.h"

#include <algorithm>
#include <optional>

#include "gdsd/base/file.h"
#include "gdsd/base/json.h"
#include "gdsd/text/utf8.h"

namespace gdsd {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kSpace = " \t\r\n";  // JSON's

int64_t count_lines(std::string_view text) { return std::count(text.begin(), text.end(), '\n'); }

std::string place(const fs::path& file, int64_t line) { return concat(file.string(), ":", line); }

std::vector<Record> parse_lines(std::string_view text, const fs::path& file) {
  std::vector<Record> records;
  for (int64_t line = 1; !text.empty(); ++line) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view one = text.substr(0, end);
    if (one.find_first_not_of(kSpace) != std::string_view::npos)
      records.push_back({parse_json_object(one, place(file, line)), line});
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return records;
}

/// The byte of the ',' or ']' that ends the element of an array at `at`, or npos.
size_t end_of_element(std::string_view text, size_t at) {
  int64_t depth = 0;
  for (bool in_string = false; at < text.size(); ++at) {
    const char c = text[at];
    if (in_string) {
      if (c == '\\') ++at;
      in_string = c != '"';
      continue;
    }
    in_string = c == '"';
    if (depth == 0 && (c == ',' || c == ']')) return at;
    depth += (c == '{' || c == '[') - (c == '}' || c == ']');
  }
  return std::string_view::npos;
}

/// Element by element, so that errors name a line.
std::vector<Record> parse_array(std::string_view text, const fs::path& file) {
  std::vector<Record> records;
  int64_t line = 1;
  size_t counted = 0;
  const auto line_at = [&](size_t at) {
    line += count_lines(text.substr(counted, at - counted));
    counted = at;
    return line;
  };
  const auto next = [&](size_t at) {
    return std::min(text.find_first_not_of(kSpace, at), text.size());
  };
  size_t at = next(next(0) + 1);
  bool ended = at < text.size() && text[at] == ']';
  while (!ended) {
    const int64_t here = line_at(at);
    const size_t end = end_of_element(text, at);
    check(end != std::string_view::npos, place(file, here), ": the array does not end.");
    records.push_back({parse_json_object(text.substr(at, end - at), place(file, here)), here});
    ended = text[end] == ']';
    at = ended ? end : next(end + 1);
  }
  at = next(at + 1);
  check(at == text.size(), place(file, line_at(at)), ": text after the array.");
  return records;
}

/// Rows of fields, one after another.
class Csv {
 public:
  Csv(std::string_view text, const fs::path& file) : rest_(text), file_(file) {}

  /// The next row that is not an empty line, or nullopt.
  std::optional<std::vector<std::string>> row() {
    while (rest_.starts_with('\n') || rest_.starts_with("\r\n")) end_row();
    if (rest_.empty()) return std::nullopt;
    begins_ = line_;
    std::vector<std::string> fields{field()};
    while (rest_.starts_with(',')) {
      rest_.remove_prefix(1);
      fields.push_back(field());
    }
    end_row();
    return fields;
  }

  int64_t line() const { return begins_; }  ///< where the last row began
  std::string here() const { return place(file_, begins_); }

 private:
  std::string field() {
    if (rest_.starts_with('"')) return quoted();
    const size_t end = std::min(rest_.find_first_of(",\n\""), rest_.size());
    check(end == rest_.size() || rest_[end] != '"', place(file_, line_),
          ": a quote within a field that does not begin with one.");
    size_t length = end;
    if (length > 0 && rest_[length - 1] == '\r' && (end == rest_.size() || rest_[end] == '\n'))
      --length;
    const std::string text(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return text;
  }

  std::string quoted() {
    const int64_t opened = line_;
    std::string text;
    for (;;) {
      rest_.remove_prefix(1);  // an opening quote, or the second of two
      const size_t end = rest_.find('"');
      check(end != std::string_view::npos, place(file_, opened), ": a quote that does not end.");
      text += rest_.substr(0, end);
      line_ += count_lines(rest_.substr(0, end));
      rest_.remove_prefix(end + 1);
      if (!rest_.starts_with('"')) break;
      text += '"';
    }
    check(rest_.empty() || rest_.starts_with(',') || rest_.starts_with('\n') ||
              rest_.starts_with("\r\n") || rest_ == "\r",
          place(file_, line_), ": text after a closing quote.");
    return text;
  }

  void end_row() {
    if (rest_.starts_with('\r')) rest_.remove_prefix(1);
    if (!rest_.starts_with('\n')) return;
    rest_.remove_prefix(1);
    ++line_;
  }

  std::string_view rest_;
  const fs::path& file_;
  int64_t line_ = 1, begins_ = 1;
};

std::vector<Record> parse_csv(std::string_view text, const fs::path& file) {
  Csv csv(text, file);
  const auto names = csv.row();
  check(names.has_value(), place(file, 1), ": no header, expected names of columns.");
  for (auto name = names->begin(); name != names->end(); ++name)
    check(!name->empty() && std::find(names->begin(), name, *name) == name, csv.here(), ": column ",
          name - names->begin() + 1, " is called '", *name,
          "', expected a name of its own. The first line of a CSV file is its header.");
  std::vector<Record> records;
  while (const auto row = csv.row()) {
    check(row->size() == names->size(), csv.here(), ": ", row->size(), " fields, expected ",
          names->size(), " as in the header.");
    nlohmann::json value;
    for (size_t i = 0; i < row->size(); ++i) value[(*names)[i]] = (*row)[i];
    records.push_back({std::move(value), csv.line()});
  }
  return records;
}

}  // namespace

std::string source_of(const fs::path& file, int64_t line) {
  const fs::path folder = file.parent_path().filename();
  return place(folder.empty() ? file.filename() : folder / file.filename(), line);
}

std::vector<Record> parse_records(std::string_view text, const fs::path& file) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const size_t bad = find_invalid_utf8(text);
  check(bad == std::string_view::npos,
        place(file, 1 + count_lines(text.substr(0, std::min(bad, text.size())))), ": not UTF-8.");
  std::string extension = file.extension().string();
  for (char& c : extension) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (extension == ".csv") return parse_csv(text, file);
  const size_t first = text.find_first_not_of(kSpace);
  const bool array = first != std::string_view::npos && text[first] == '[';
  return array ? parse_array(text, file) : parse_lines(text, file);
}

std::vector<Record> read_records(const fs::path& file) {
  return parse_records(read_file(file), file);
}

}  // namespace gdsd
