// Pictures for a page: line charts and puzzles as SVG text.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace gdsd {

struct Series {
  std::string label;  // empty: not in the legend
  std::string colour;
  std::vector<std::pair<double, double>> points = {};
  bool faint = false;
  std::vector<double> spread = {};  // half the height of a band around each point, or none
};

/// Lines over x, y from 0 to 1, with axes, a legend and tooltips.
std::string line_chart(const std::string& title, const std::string& x_label,
                       const std::vector<Series>& series);

/// An <svg> of a page as a file of its own.
std::string svg_file(const std::string& svg);

/// One character of a canvas at one moment.
struct Cell {
  std::string text;  // "" while hidden
  enum class Kind { kGiven, kHidden, kRight, kWrong } kind = Kind::kHidden;
  bool fresh = false;  // revealed at this very step
};

/// The cells in rows of `columns`, with a caption below.
std::string cell_grid(const std::vector<Cell>& cells, int64_t columns, const std::string& caption);

/// Text with <, >, & and quotes made harmless.
std::string escape_html(const std::string& text);

}  // namespace gdsd
