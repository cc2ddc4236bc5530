// Rows of what a verb prints: a name and what there is to say about it.
#pragma once

#include <algorithm>
#include <iostream>
#include <string>

namespace gdsd {

/// On standard output, the texts of all rows below one another.
inline void print_row(const std::string& name, const std::string& text) {
  std::string padded = name;
  padded.resize(std::max<size_t>(16, name.size() + 1), ' ');
  std::cout << padded << text << "\n";
}

}  // namespace gdsd
