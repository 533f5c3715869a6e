// SPDX-License-Identifier: BSD-3-Clause
//
// The keys of a sheaf file, section by section: the one list that the reader, the JSON Schema and the documentation go
// by. Any thread.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace sheaf::app {

enum class section : std::uint8_t {
  file,
  database,
  pool,
  request,
  parameter,
  query,
  scenario,
  setup,
  step,
  repeat,
  compare,
  load,
};

/// The form of a key's value in the file.
enum class key_type : std::uint8_t {
  text,
  path,        ///< The path of a file, from the sheaf file's folder.
  sql,         ///< One statement.
  number,      ///< A whole number.
  boolean,     ///< `true` or `false`.
  duration,    ///< `250ms`: with its unit.
  rate,        ///< `500/s`: with its unit.
  size,        ///< `64MiB`, or bytes.
  choice,      ///< One of `file_key::choices`.
  choice_list, ///< A list of them.
  any,         ///< A value or a list of values.
  texts,       ///< A map from names to text.
  values,      ///< A map from names to values.
  sub_map,     ///< A map with the keys of `file_key::of`.
  named_maps,  ///< A map from names to such maps.
  maps,        ///< A list of such maps.
};

struct file_key {
  std::string_view name;
  key_type type;
  std::string_view default_value; ///< The default as a file would have it; empty for none.
  std::string_view meaning;       ///< One sentence.
  section of{};                   ///< The section of a `sub_map`, `named_maps`, `maps`.
  std::string_view choices{};     ///< The words of a `choice` or `choice_list`, with blanks between.
};

std::span<const section> all_sections() noexcept; ///< All sections, in the order in which a file is explained.
std::span<const file_key> keys_of(section x) noexcept;
std::string_view to_string(section x) noexcept; ///< `a query`.

/// The type of a value, in words: `map by name`, or a choice's words.
std::string_view type_text(const file_key& key) noexcept;

/// The JSON Schema (draft 2020-12) of a sheaf file, which editors complete from.
std::string json_schema();

} // namespace sheaf::app
