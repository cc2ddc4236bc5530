// Charts of any range, linear or logarithmic, as SVG text: curves and clouds of points.
#pragma once

#include "cli/svg.h"

namespace gdsd {

struct Plot {
  std::string title = {}, x_label = {}, y_label = {};
  bool log_x = false, log_y = false;  // powers of two, and of ten
  bool points = false;                // a dot for each point, its spread a bar; else lines
  bool diagonal = false;              // the line y = x
  double width = 640, height = 320;
  std::vector<Series> series = {};  // those with a label stand in a list on the right
};

/// Points that are not finite, or not positive on a logarithmic axis, are left out.
std::string draw(const Plot& plot);

/// A colour for the i-th of up to 20 series.
std::string palette(size_t i);

}  // namespace gdsd
