#include "cli/plot.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "gdsd/base/check.h"

namespace gdsd {

namespace {

constexpr double kLeft = 52, kTop = 24, kBottom = 40, kMargin = 10, kLegend = 150;

std::string number(double value, const char* format = "%.1f") {
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string text_at(double x, double y, const char* anchor, const std::string& text,
                    const std::string& more = "") {
  return concat("<text x='", number(x), "' y='", number(y), "' text-anchor='", anchor, "' ", more,
                ">", escape_html(text), "</text>");
}

/// One direction of the picture.
struct Axis {
  bool logarithmic = false;
  double low = INFINITY, high = -INFINITY;  // of the data, in the axis' own measure
  double from = 0, to = 1;                  // where these lie in the picture

  double measure(double v) const { return logarithmic ? std::log(v) : v; }
  bool has(double v) const { return std::isfinite(v) && (!logarithmic || v > 0); }
  double place(double v) const { return from + (measure(v) - low) / (high - low) * (to - from); }

  void include(double v) {
    if (!has(v)) return;
    low = std::min(low, measure(v));
    high = std::max(high, measure(v));
  }
  /// Leaves a little room around the data.
  void settle() {
    if (!(low <= high)) low = measure(1), high = measure(2);
    const double room = high > low ? 0.04 * (high - low) : 0.5;
    low -= room;
    high += room;
  }
  std::vector<double> ticks(double base) const;
};

std::vector<double> Axis::ticks(double base) const {
  std::vector<double> out;
  if (logarithmic) {
    // Powers of the base; of ten the halves and fifths too where these are few.
    const bool few = base == 10 && high - low < 2 * std::log(base);
    for (double e = std::floor(low / std::log(base)); e * std::log(base) <= high; ++e)
      for (double times : few ? std::vector{1.0, 2.0, 5.0} : std::vector{1.0})
        if (const double v = times * std::pow(base, e); std::log(v) >= low && std::log(v) <= high)
          out.push_back(v);
    return out;
  }
  const double raw = (high - low) / 5, power = std::pow(10, std::floor(std::log10(raw)));
  double step = power;
  for (double times : {2.0, 5.0, 10.0})
    if (step < raw) step = times * power;
  for (double v = std::ceil(low / step) * step; v <= high; v += step)
    out.push_back(std::abs(v) < step / 2 ? 0 : v);
  return out;
}

std::string axes(const Plot& plot, const Axis& x, const Axis& y) {
  std::string out;
  for (double v : y.ticks(10))
    out += concat("<line class='rule' x1='", number(x.from), "' x2='", number(x.to), "' y1='",
                  number(y.place(v)), "' y2='", number(y.place(v)), "'/>",
                  text_at(x.from - 5, y.place(v) + 4, "end", number(v, "%.3g")));
  for (double v : x.ticks(2)) out += text_at(x.place(v), y.from + 16, "middle", number(v, "%.3g"));
  out += text_at((x.from + x.to) / 2, y.from + 33, "middle", plot.x_label);
  out += text_at(x.from, 14, "start", plot.y_label, "class='caption'");
  if (plot.diagonal) {
    const double low = std::max(x.low, y.low), high = std::min(x.high, y.high);
    if (low < high)
      out += concat("<line class='diagonal' x1='", number(x.place(low)), "' y1='",
                    number(y.place(low)), "' x2='", number(x.place(high)), "' y2='",
                    number(y.place(high)), "'/>");
  }
  return out;
}

std::string dots(const Series& s, const Axis& x, const Axis& y) {
  std::string out;
  for (size_t i = 0; i < s.points.size(); ++i) {
    const auto [a, b] = s.points[i];
    if (!x.has(a) || !y.has(b)) continue;
    const std::string at = number(x.place(a));
    if (!s.spread.empty() && s.spread[i] > 0)
      out += concat("<line x1='", at, "' x2='", at, "' y1='", number(y.place(b - s.spread[i])),
                    "' y2='", number(y.place(b + s.spread[i])), "' stroke='", s.colour,
                    "' opacity='0.4'/>");
    out += concat("<circle cx='", at, "' cy='", number(y.place(b)), "' r='2.5' fill='", s.colour,
                  "' opacity='0.6'><title>", escape_html(s.label), " ", number(a, "%.3f"), ", ",
                  number(b, "%.3f"), "</title></circle>");
  }
  return out;
}

std::string line(const Series& s, const Axis& x, const Axis& y) {
  std::string path, marks;
  for (const auto& [a, b] : s.points) {
    if (!x.has(a) || !y.has(b)) continue;
    path += concat(path.empty() ? "M" : "L", number(x.place(a)), " ", number(y.place(b)));
    marks += concat("<circle cx='", number(x.place(a)), "' cy='", number(y.place(b)),
                    "' r='2.5' fill='", s.colour, "'><title>", escape_html(s.label), ", ",
                    number(a, "%.3g"), ": ", number(b, "%.3g"), "</title></circle>");
  }
  if (path.empty()) return "";
  return concat("<path d='", path, "' fill='none' stroke='", s.colour, "' stroke-width='1.6'",
                s.faint ? " stroke-dasharray='4 3'" : "", "/>", marks);
}

}  // namespace

std::string palette(size_t i) {
  static const char* const kColours[] = {"#1f6feb", "#d9730d", "#2a9d5c", "#8250df", "#c2255c",
                                         "#0aa2c0", "#9a6700", "#57606a", "#e03131", "#2f4b7c"};
  return kColours[i % std::size(kColours)];
}

std::string draw(const Plot& plot) {
  Axis x{.logarithmic = plot.log_x}, y{.logarithmic = plot.log_y};
  bool legend = false;
  for (const Series& s : plot.series) {
    legend = legend || (!plot.points && !s.label.empty());
    for (const auto& [a, b] : s.points) x.include(a), y.include(b);
  }
  x.settle();
  y.settle();
  x.from = kLeft;
  x.to = plot.width - kMargin - (legend ? kLegend : 0);
  y.from = plot.height - kBottom;
  y.to = kTop;

  std::string out = concat("<svg viewBox='0 0 ", plot.width, " ", plot.height, "' width='",
                           plot.width, "' height='", plot.height, "' role='img'><title>",
                           escape_html(plot.title), "</title>", axes(plot, x, y));
  double at = kTop;
  for (const Series& s : plot.series) {
    out += plot.points ? dots(s, x, y) : line(s, x, y);
    if (!legend || s.label.empty()) continue;
    out += concat("<line x1='", x.to + 12, "' x2='", x.to + 30, "' y1='", number(at + 6), "' y2='",
                  number(at + 6), "' stroke='", s.colour, "' stroke-width='2'",
                  s.faint ? " stroke-dasharray='4 3'" : "", "/>",
                  text_at(x.to + 35, at + 10, "start", s.label));
    at += 15;
  }
  return out + "</svg>";
}

}  // namespace gdsd
