// JSON from files that may be damaged or hostile.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "gdsd/base/check.h"

namespace gdsd {

/// nlohmann::json copies, prints and frees by recursion: deeper nesting could exhaust the stack.
inline constexpr int kDeepestJson = 64;

/// Parses text nested at most kDeepestJson levels. Throws Error for deeper nesting and
/// nlohmann::json::exception for what is not JSON.
template <class Json = nlohmann::json>
Json parse_json(std::string_view text) {
  return Json::parse(text, [](int depth, typename Json::parse_event_t, Json&) {
    check(depth <= kDeepestJson, "nested deeper than ", kDeepestJson, " levels.");
    return true;
  });
}

/// The same for what must be an object: every Error begins with `where`.
template <class Json = nlohmann::json>
Json parse_json_object(std::string_view text, const std::string& where) {
  Json out;
  try {
    out = parse_json<Json>(text);
  } catch (const Error& e) {
    throw Error(where + ": " + e.what());
  } catch (const nlohmann::json::exception&) {
    throw Error(where + ": not a JSON object.");
  }
  check(out.is_object(), where, ": not a JSON object.");
  return out;
}

}  // namespace gdsd
