// SPDX-License-Identifier: BSD-3-Clause
//
// One section of a sheaf file, read strictly: an unknown key, a wrong type, a bare number for a duration is a finding
// with its place, and reading goes on. Any thread.

#pragma once

#include "app/expression/expression.hpp"
#include "app/file/file_keys.hpp"
#include "app/file/finding.hpp"
#include "app/file/sheaf_file.hpp"
#include "app/file/yaml_tree.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace sheaf::app {

/// A regular expression (ECMAScript) of sizes in text, but for what is too large.
inline constexpr const char* size_pattern = "^ *[0-9]+ *([kKmMgGtTpPeE][iI]?[bB]?|[bB])? *$";

/// State that reading a file needs in every section.
struct reading {
  std::filesystem::path folder; ///< The file's folder: paths in it begin here.
  const variables& given;
  std::vector<finding> findings;
  variable_names asked;        ///< The names in `${…}`.
  variable_names mentioned;    ///< Those in conditions, where some are of fields.
  std::size_t bytes_named = 0; ///< Of the files that it names, as often as it names them.

  void error(location at, std::string message);
  void warning(location at, std::string message);

  /// Notes what an expression names, if it is one.
  static void mention(const result<expression>& in, variable_names& to);

  /// Fills `${NAME}` and `${NAME:-default}` from `-D` and the environment.
  std::optional<std::string> filled(const yaml_node& text);

  /// The same for a URL: what a variable holds stays one value of it, and has no say in its syntax. Only a variable
  /// that the URL begins with is taken as it stands.
  std::optional<std::string> filled_url(const yaml_node& text);

  /// The content of a plain file that the sheaf file names, at most 16 MiB, and 64 MiB of all of them.
  std::optional<std::string> content_of(const std::string& path, location at);

private:
  using joiner = std::function<std::string(const std::vector<std::string>&, const std::vector<std::string>&)>;
  std::optional<std::string> filled(const yaml_node& text, const joiner& join);
};

class map_reader {
public:
  /// `node` has to be a map with the keys of this section.
  map_reader(reading& in, const yaml_node& node, section which);

  /// The value of a key; null when there is none, or nothing behind it.
  const yaml_node* find(std::string_view key) const;
  /// The value of a key that takes a null as well; null when there is none.
  const yaml_node* find_or_null(std::string_view key) const { return node_.find(key); }
  bool is_map() const noexcept { return node_.is == yaml_node::kind::map; } ///< Otherwise it needs no other finding.

  // The value of a key, or nothing: the key is not there, or its value is wrong, which is a finding then.

  std::optional<std::string> text(std::string_view key) const; ///< Not empty.
  std::optional<std::size_t> number(std::string_view key) const;
  std::optional<std::size_t> size(std::string_view key) const;
  std::optional<bool> boolean(std::string_view key) const;
  std::optional<std::chrono::nanoseconds> duration(std::string_view key) const;
  std::optional<double> rate(std::string_view key) const;                               ///< A second.
  std::optional<std::string_view> choice(std::string_view key) const;                   ///< One of `file_key::choices`.
  std::optional<std::vector<std::string_view>> choice_list(std::string_view key) const; ///< Each once, at least one.

  /// Calls `f` for each name of a map.
  void each_name(std::string_view key, const std::function<void(const yaml_key&, const yaml_node&)>& f) const;
  /// Calls `f` for each element of a list.
  void each_element(std::string_view key, const std::function<void(const yaml_node&)>& f) const;

private:
  const yaml_node* scalar(std::string_view key, std::string_view wanted) const;
  std::optional<std::string_view> choice(std::string_view key, const yaml_node& word) const;
  const file_key& declared(std::string_view key) const;

  reading& in_;
  const yaml_node& node_;
  section section_;
};

} // namespace sheaf::app
