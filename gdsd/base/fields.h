// One list of fields per options struct. Parsing, help, dumps and errors are all derived from it:
//
//   struct SamplerOptions {
//     int64_t steps = 128;
//     template <class F> void fields(F&& f) { f("steps", steps, "S: denoiser calls"); }
//     void validate() const { check_field(steps > 0, "steps", "must be positive, got ", steps,
//     "."); }
//   };
//
// A field is a scalar, an enum (enum_names lists its names in order), another options struct, or a
// std::variant of options structs, chosen by the key `name` (each alternative has kName).
#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gdsd/base/check.h"

namespace gdsd {

/// A wrong option: what() is "path: message". A loader adds where the value came from.
struct FieldError : Error {
  FieldError(std::string at, const std::string& what)
      : Error(at + ": " + what), path(std::move(at)), message(what) {}
  std::string path, message;
};

/// The message of FieldError about a path that is no option.
inline constexpr const char* kUnknownOption = "unknown option.";

/// For validate(): throws FieldError about one of the struct's own fields unless `ok`.
template <typename... Parts>
void check_field(bool ok, const char* name, const Parts&... parts) {
  if (!ok) throw FieldError(name, concat(parts...));
}

/// The same for a number of things, which must be `least` … `most`.
inline void check_count(int64_t value, const char* name, int64_t least, int64_t most) {
  check_field(value >= least && value <= most, name, "got ", value, ", expected ", least, " … ",
              most, ".");
}

/// A field's place, value and meaning: `--help` lists these, a dump writes them.
struct Field {
  std::string path;  // "rollout.sampler.steps"
  std::string type;  // "integer"
  std::string text;  // the value, as `assign` reads it back
  std::string help;
};

namespace fields_detail {

struct Ignore {
  template <class... Args>
  void operator()(Args&&...) const {}
};
template <class T>
concept Struct = requires(T& t) {
  t.fields(Ignore{});
};
template <class T>
concept Variant = requires {
  std::variant_size<T>::value;
};
template <class T>
concept NamedEnum = std::is_enum_v<T> && requires(T t) {
  enum_names(t);
};

inline std::string join(const std::string& prefix, std::string_view name) {
  return prefix.empty() ? std::string(name) : prefix + "." + std::string(name);
}

template <Variant V, class F>
void for_each_alternative(F&& f) {
  [&]<size_t... I>(std::index_sequence<I...>) {
    (f.template operator()<std::variant_alternative_t<I, V>>(), ...);
  }
  (std::make_index_sequence<std::variant_size_v<V>>{});
}

template <class E>
std::string one_of(const E& names) {
  std::string all;
  for (std::string_view name : names) all += (all.empty() ? "" : " | ") + std::string(name);
  return all;
}

/// Every name that chooses an alternative, presets among them.
template <Variant V>
std::string alternative_names() {
  std::vector<std::string> names;
  for_each_alternative<V>([&]<class A>() {
    names.emplace_back(A::kName);
    if constexpr (requires { A::released(); }) names.push_back(std::string(A::kName) + "_released");
  });
  return one_of(names);
}

}  // namespace fields_detail

/// What a value of type V looks like: "integer", "true | false", the names of an enum.
template <class V>
std::string type_name() {
  if constexpr (std::same_as<V, bool>) return "true | false";
  if constexpr (std::integral<V>)
    return std::unsigned_integral<V> ? "integer, not negative" : "integer";
  if constexpr (std::floating_point<V>) return "number";
  if constexpr (fields_detail::NamedEnum<V>) return fields_detail::one_of(enum_names(V{}));
  return "text";
}

/// As from_text reads it back, exactly.
template <class V>
std::string to_text(const V& value) {
  if constexpr (std::same_as<V, bool>) {
    return value ? "true" : "false";
  } else if constexpr (fields_detail::NamedEnum<V>) {
    return std::string(enum_names(value).at(static_cast<size_t>(value)));
  } else if constexpr (std::same_as<V, std::string>) {
    return value;
  } else {
    std::array<char, 32> out;
    return {out.data(), std::to_chars(out.data(), out.data() + out.size(), value).ptr};
  }
}

/// The value of `text`, or false where it does not say one of type V. Numbers are finite.
template <class V>
bool from_text(std::string_view text, V& value) {
  if constexpr (std::same_as<V, std::string>) {
    value = text;
    return true;
  } else if constexpr (std::same_as<V, bool>) {
    value = text == "true";
    return value || text == "false";
  } else if constexpr (fields_detail::NamedEnum<V>) {
    size_t i = 0;
    for (std::string_view name : enum_names(value)) {
      if (name == text) return value = static_cast<V>(i), true;
      ++i;
    }
    return false;
  } else {
    V parsed{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
    if (error != std::errc() || end != text.data() + text.size() || text.empty()) return false;
    if constexpr (std::floating_point<V>)
      if (!std::isfinite(parsed)) return false;
    return value = parsed, true;
  }
}

/// Why from_text refused `text` for a value of this type: "got 'x', expected integer."
std::string refusal(std::string_view text, const std::string& type);

/// Calls visit(path, value, help) for every leaf of `options`. A variant shows its `name` and the
/// fields of the alternative it holds; visit gets the variant itself for `name`.
template <class T, class F>
void for_each_leaf(T& options, F&& visit, const std::string& prefix = "") {
  using namespace fields_detail;
  options.fields([&]<class V>(std::string_view name, V& value, std::string_view help) {
    const std::string path = join(prefix, name);
    if constexpr (Struct<V>) {
      for_each_leaf(value, visit, path);
    } else if constexpr (Variant<V>) {
      visit(path + ".name", value, help);
      std::visit([&](auto& alternative) { for_each_leaf(alternative, visit, path); }, value);
    } else {
      visit(path, value, help);
    }
  });
}

/// Every field with its present value, in order.
template <class T>
std::vector<Field> list_fields(T options) {
  using namespace fields_detail;
  std::vector<Field> all;
  for_each_leaf(options, [&]<class V>(const std::string& path, V& value, std::string_view help) {
    if constexpr (Variant<V>) {
      const auto name = std::visit([](auto& a) { return std::string(a.kName); }, value);
      all.push_back({path, alternative_names<V>(), name, std::string(help)});
    } else {
      all.push_back({path, type_name<V>(), to_text(value), std::string(help)});
    }
  });
  return all;
}

/// The fields of every alternative that a variant inside T could hold but does not, for `--help`.
template <class T>
std::vector<Field> list_alternatives(T options) {
  using namespace fields_detail;
  std::vector<Field> all;
  for_each_leaf(options, [&]<class V>(const std::string& path, V& value, std::string_view) {
    if constexpr (Variant<V>) {
      const std::string section = path.substr(0, path.rfind('.'));
      for_each_alternative<V>([&]<class A>() {
        if (std::holds_alternative<A>(value)) return;
        for (Field field : list_fields(A{})) {
          field.path = concat(section, ".", field.path, " [", A::kName, "]");
          all.push_back(field);
        }
      });
    }
  });
  return all;
}

/// Where an option `path` was most likely meant to be: "Did you mean …?", or "" if nothing is near.
std::string suggestion(std::string_view path, const std::vector<Field>& known);

/// Chooses the alternative called `name`, with its defaults. "gdsd_released" is
/// GdsdOptions::released(), for alternatives that have such a preset.
template <fields_detail::Variant V>
bool emplace_by_name(V& value, std::string_view name) {
  bool found = false;
  fields_detail::for_each_alternative<V>([&]<class A>() {
    if (name == A::kName) {
      found = true;
      value = A{};
    }
    if constexpr (requires { A::released(); })
      if (name == std::string(A::kName) + "_released") found = true, value = A::released();
  });
  return found;
}

/// Sets the field at `path` ("sampler.steps") from text; throws FieldError if there is no such
/// field or the text is not of its type.
template <class T>
void assign(T& options, std::string_view path, std::string_view text,
            const std::string& prefix = "") {
  using namespace fields_detail;
  const std::string_view head = path.substr(0, path.find('.'));
  const std::string_view rest = head.size() == path.size() ? "" : path.substr(head.size() + 1);
  const std::string full = join(prefix, path), here = join(prefix, head);
  bool found = false;
  options.fields([&]<class V>(std::string_view name, V& value, std::string_view) {
    if (name != head) return;
    found = true;
    if constexpr (Struct<V>) {
      if (rest.empty()) throw FieldError(full, "is a section of options, not a value.");
      assign(value, rest, text, here);
    } else if constexpr (Variant<V>) {
      if (rest.empty() || rest == "name") {
        if (!emplace_by_name(value, text))
          throw FieldError(full,
                           concat("got '", text, "', expected ", alternative_names<V>(), "."));
      } else {
        std::visit([&](auto& alternative) { assign(alternative, rest, text, here); }, value);
      }
    } else {
      if (!rest.empty()) throw FieldError(full, concat("'", here, "' has no fields."));
      if (!from_text(text, value)) throw FieldError(full, refusal(text, type_name<V>()));
    }
  });
  if (!found) throw FieldError(full, kUnknownOption);
}

/// Calls validate() of `options` and of every struct inside it; FieldError carries the full path.
template <class T>
void validate(T& options, const std::string& prefix = "") {
  using namespace fields_detail;
  options.fields([&]<class V>(std::string_view name, V& value, std::string_view) {
    const std::string path = join(prefix, name);
    if constexpr (Struct<V>) validate(value, path);
    if constexpr (Variant<V>)
      std::visit([&](auto& alternative) { validate(alternative, path); }, value);
  });
  if constexpr (requires { options.validate(); }) {
    try {
      options.validate();
    } catch (const FieldError& e) {
      throw FieldError(join(prefix, e.path), e.message);
    }
  }
}

}  // namespace gdsd
