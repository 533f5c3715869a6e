// SPDX-License-Identifier: BSD-3-Clause
//
// A YAML document as a tree that knows where everything stands. Bounded in size, depth and count, whatever the file
// says. Any thread.

#pragma once

#include "app/file/finding.hpp"

#include "sheaf/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::app {

struct yaml_node;

/// A key of a map and where it stands; the value of the same position is in `yaml_node::values`.
struct yaml_key {
  std::string text;
  location at;
};

struct yaml_node {
  enum class kind : std::uint8_t { null, scalar, sequence, map };

  kind is = kind::null;
  location at;
  std::string text;    ///< The text of a scalar.
  bool quoted = false; ///< A scalar in quotes or a block: text, whatever it looks like.
  std::vector<yaml_key> keys;
  std::vector<yaml_node> values; ///< The values of a sequence or, beside `keys`, of a map.

  /// The value of a key; null when there is none.
  const yaml_node* find(std::string_view key) const noexcept;
};

/// The kind of a node, for messages: `a list`.
std::string_view to_string(yaml_node::kind x) noexcept;

inline constexpr std::size_t yaml_mebibytes_max = 4;
inline constexpr std::size_t yaml_nodes_max = 100'000; ///< Nodes that aliases repeat count too.
inline constexpr std::size_t yaml_depth_max = 32;

/// The one document in `text`, of at most `yaml_mebibytes_max`. When it is not valid UTF-8, not YAML, more than one
/// document, has a key twice in a map or is beyond a limit: the place and the reason.
boost::system::result<yaml_node, finding> parse_yaml(const std::string& text);

[[noreturn]] inline void throw_exception_from_error(const finding& why, const boost::source_location&) {
  throw std::runtime_error(why.message);
}

} // namespace sheaf::app
