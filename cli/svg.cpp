#include "cli/svg.h"

#include <algorithm>
#include <cstdio>

#include "gdsd/base/check.h"

namespace gdsd {

namespace {

constexpr double kWidth = 640, kHeight = 300, kLeft = 48, kRight = 14, kTop = 30, kBottom = 42;

std::string number(double value, const char* format = "%.1f") {
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string text_at(double x, double y, const char* anchor, const std::string& text,
                    const char* style = "") {
  return concat("<text x='", number(x), "' y='", number(y), "' text-anchor='", anchor, "' ", style,
                ">", escape_html(text), "</text>");
}

/// Where the data's (x, y) is drawn.
struct Scale {
  double x_most;
  double x(double v) const { return kLeft + v / x_most * (kWidth - kLeft - kRight); }
  double y(double v) const { return kHeight - kBottom - v * (kHeight - kTop - kBottom); }
};

std::string axes(const Scale& scale, const std::string& x_label) {
  std::string out;
  for (int i = 0; i <= 5; ++i) {
    const double v = i / 5.0, y = scale.y(v);
    out += concat("<line class='rule' x1='", kLeft, "' x2='", kWidth - kRight, "' y1='", number(y),
                  "' y2='", number(y), "'/>", text_at(kLeft - 6, y + 4, "end", number(v)));
  }
  for (int i = 0; i <= 4; ++i) {
    const double v = scale.x_most * i / 4;
    out += text_at(scale.x(v), kHeight - kBottom + 18, "middle", number(v, "%.0f"));
  }
  return out + text_at((kLeft + kWidth - kRight) / 2, kHeight - 6, "middle", x_label);
}

}  // namespace

std::string escape_html(const std::string& text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '\'': out += "&#39;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string line_chart(const std::string& title, const std::string& x_label,
                       const std::vector<Series>& series) {
  Scale scale{1};
  for (const Series& s : series)
    for (const auto& [x, y] : s.points) scale.x_most = std::max(scale.x_most, x);

  std::string out = concat("<svg viewBox='0 0 ", kWidth, " ", kHeight, "' role='img'><title>",
                           escape_html(title), "</title>", axes(scale, x_label));
  double legend = kLeft + 4;
  for (const Series& s : series) {
    std::string path, dots;
    for (const auto& [x, y] : s.points) {
      path += concat(path.empty() ? "M" : "L", number(scale.x(x)), " ", number(scale.y(y)));
      if (!s.faint)
        dots += concat("<circle cx='", number(scale.x(x)), "' cy='", number(scale.y(y)),
                       "' r='2.5' fill='", s.colour, "'><title>", escape_html(s.label), ", ",
                       number(x, "%.0f"), ": ", number(y, "%.3f"), "</title></circle>");
    }
    out += concat("<path d='", path, "' fill='none' stroke='", s.colour, "' stroke-width='",
                  s.faint ? 1 : 2, "' opacity='", s.faint ? 0.3 : 1, "'/>", dots);
    if (s.label.empty()) continue;
    out += concat("<rect x='", legend, "' y='10' width='12' height='12' fill='", s.colour, "'/>",
                  text_at(legend + 17, 20, "start", s.label));
    legend += 34 + 8 * static_cast<double>(s.label.size());
  }
  return out + "</svg>";
}

std::string cell_grid(const std::vector<Cell>& cells, int64_t columns, const std::string& caption) {
  constexpr double kSide = 22;
  const auto n = static_cast<int64_t>(cells.size());
  const double width = kSide * static_cast<double>(columns) + 4;
  const int64_t rows = (n + columns - 1) / columns;
  const double height = kSide * static_cast<double>(rows) + 22;
  std::string out = concat("<svg class='grid' viewBox='0 0 ", width, " ", height, "' width='",
                           width, "' height='", height, "' role='img'>");
  static const char* const kNames[] = {"given", "hidden", "right", "wrong"};
  for (int64_t i = 0; i < n; ++i) {
    const Cell& cell = cells[i];
    const int64_t row = i / columns, column = i % columns;
    const double x = 2 + kSide * static_cast<double>(column);
    const double y = 2 + kSide * static_cast<double>(row);
    out += concat("<rect class='cell ", kNames[static_cast<int>(cell.kind)],
                  cell.fresh ? " fresh" : "", "' x='", x, "' y='", y, "' width='", kSide,
                  "' height='", kSide, "'/>");
    if (!cell.text.empty()) out += text_at(x + kSide / 2, y + kSide - 6, "middle", cell.text);
  }
  return out + text_at(width / 2, height - 4, "middle", caption, "class='caption'") + "</svg>";
}

}  // namespace gdsd
