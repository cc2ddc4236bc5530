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

/// The area between points − spread and points + spread, or nothing.
std::string band(const Scale& scale, const Series& s) {
  if (s.spread.empty()) return "";
  std::string above, below;
  for (size_t i = 0; i < s.points.size(); ++i) {
    const auto [x, y] = s.points[i];
    const double high = std::min(1.0, y + s.spread[i]), low = std::max(0.0, y - s.spread[i]);
    above += concat(i == 0 ? "M" : "L", number(scale.x(x)), " ", number(scale.y(high)));
    below = concat("L", number(scale.x(x)), " ", number(scale.y(low)), below);
  }
  return concat("<path d='", above, below, "Z' fill='", s.colour, "' opacity='0.12'/>");
}

/// Names in rows, each above the one before; the first is at the top of the picture.
struct Legend {
  std::string text;
  double x = kLeft + 4, above = 0;  // above the picture's own height

  void add(const Series& s) {
    if (s.label.empty()) return;
    const double width = 34 + 8 * static_cast<double>(s.label.size());
    if (x + width > kWidth && x > kLeft + 4) x = kLeft + 4, above += 18;
    text += concat("<rect x='", x, "' y='", 10 - above, "' width='12' height='12' fill='", s.colour,
                   "'/>", text_at(x + 17, 20 - above, "start", s.label));
    x += width;
  }
};

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

  std::string lines;
  Legend legend;
  for (const Series& s : series) {
    std::string path, dots;
    for (const auto& [x, y] : s.points) {
      path += concat(path.empty() ? "M" : "L", number(scale.x(x)), " ", number(scale.y(y)));
      if (!s.faint && s.spread.empty())
        dots += concat("<circle cx='", number(scale.x(x)), "' cy='", number(scale.y(y)),
                       "' r='2.5' fill='", s.colour, "'><title>", escape_html(s.label), ", ",
                       number(x, "%.0f"), ": ", number(y, "%.3f"), "</title></circle>");
    }
    lines += band(scale, s) + concat("<path d='", path, "' fill='none' stroke='", s.colour,
                                     "' stroke-width='", s.faint ? 1 : 2, "' opacity='",
                                     s.faint ? 0.3 : 1, "'/>", dots);
    legend.add(s);
  }
  return concat("<svg viewBox='0 ", -legend.above, " ", kWidth, " ", kHeight + legend.above,
                "' role='img'><title>", escape_html(title), "</title>", axes(scale, x_label), lines,
                legend.text, "</svg>");
}

std::string svg_file(const std::string& svg) {
  const std::string style =
      "<style>text{font:12px sans-serif;fill:#333}.rule{stroke:#ddd}</style>"
      "<rect width='100%' height='100%' fill='white'/>";
  const size_t head = svg.find('>') + 1;
  return "<svg xmlns='http://www.w3.org/2000/svg'" + svg.substr(4, head - 4) + style +
         svg.substr(head) + "\n";
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
