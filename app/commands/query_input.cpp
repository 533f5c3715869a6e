// SPDX-License-Identifier: BSD-3-Clause
//
// Reads files, names queries and hands out parameters before anything is sent. Main thread.

#include "app/commands/query_input.hpp"

#include "app/base/exit.hpp"
#include "app/base/text.hpp"
#include "app/base/text_file.hpp"
#include "app/file/parameter_text.hpp"

#include "sheaf/backends.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <set>

namespace sheaf::app {

namespace {

bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

/// `:a, :b`, or `none`.
template <class Names>
std::string listed(const Names& names) {
  std::string out;
  for (const auto& name : names)
    out += (out.empty() ? ":" : ", :") + name;
  return out.empty() ? "none" : out;
}

} // namespace

named_text split_name(std::string_view argument) {
  std::size_t end = 0;
  while (end < argument.size() && (is_letter(argument[end]) || (end > 0 && is_decimal(argument[end]))))
    ++end;
  if (end == 0 || end == argument.size() || argument[end] != '=')
    return {"", std::string{argument}};
  return {std::string{argument.substr(0, end)}, std::string{argument.substr(end + 1)}};
}

std::string given_url(const std::string& argument) {
  constexpr std::string_view scheme = "env:";
  if (!argument.starts_with(scheme))
    return argument;
  const auto name = argument.substr(scheme.size());
  const char* url = std::getenv(name.c_str());
  if (!url || *url == '\0')
    bad_input("env:NAME: there is no such environment variable, or it is empty");
  return url;
}

void expect_url(const std::string& argument) {
  constexpr std::array<std::string_view, 14> verbs{"select",  "with",   "values", "table",  "insert",
                                                   "update",  "delete", "merge",  "create", "drop",
                                                   "explain", "pragma", "alter",  "show"};
  const auto sql = split_name(argument).text;
  auto verb = sql.substr(0, sql.find_first_of(" \t\n("));
  std::transform(verb.begin(), verb.end(), verb.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  if (verb.size() < sql.size() && std::find(verbs.begin(), verbs.end(), verb) != verbs.end())
    bad_input("no URL: the first argument says which database, as sqlite:shop.db or env:DATABASE_URL, and SQL comes "
              "behind it");
  const auto kind = backend_for(argument);
  const std::filesystem::path file{argument};
  std::error_code failed;
  const auto ending = file.extension();
  const bool is_file =
      ending == ".db" || ending == ".sqlite" || ending == ".sqlite3" || std::filesystem::is_regular_file(file, failed);
  if (kind.has_error() && is_file && argument.find_first_of(":@") == argument.npos)
    bad_input(fmt::format("{0} is no URL; for a file of SQLite's write sqlite:{0}", argument));
}

std::vector<named_text> gather_queries(const std::vector<std::string>& arguments,
                                       const std::vector<std::string>& files) {
  std::vector<named_text> queries;
  for (const auto& argument : arguments) {
    // An error about the SQL would show a password here.
    if (argument.starts_with("postgresql://") || argument.starts_with("postgres://"))
      bad_input("a URL stands where SQL belongs: one URL comes first, then SQL");
    if (argument.starts_with("password="))
      bad_input(
          "a keyword of a connection stands where SQL belongs: put host=... password=... into quotes, as one URL");
    queries.push_back(split_name(argument));
  }
  bool stdin_read = false;
  for (const auto& argument : files) {
    auto [name, path] = split_name(argument);
    if (path == "-" && std::exchange(stdin_read, true))
      bad_input("--file -: standard input can be read only once");
    queries.push_back({std::move(name), value_or_throw(read_text_file(path), "--file " + path + ": ")});
  }
  for (std::size_t i = 0; i < queries.size(); ++i)
    if (queries[i].name.empty())
      queries[i].name = fmt::format("q{}", i + 1);
  return queries;
}

std::vector<query> bind_parameters(const std::vector<named_text>& queries, const std::vector<std::string>& arguments,
                                   const backend& of) {
  parameters given;
  for (const auto& argument : arguments) {
    auto [name, value] = value_or_throw(parse_parameter(argument, of), "-p ");
    if (find(given, name) != nullptr)
      bad_input(fmt::format("-p {}: given twice", name));
    given.emplace_back(std::move(name), std::move(value));
  }
  std::set<std::string> known;
  std::vector<query> bound;
  for (const auto& [name, sql] : queries) {
    query made{name, sql};
    const auto form =
        made.statement.parse(of.dialect(), given); // kept: a form that holds only for these values is nobody else's
    for (const auto& used : form->names) {
      known.insert(used);
      const auto* value = find(given, used);
      if (value == nullptr)
        bad_input(fmt::format("query \"{}\" needs a value for :{}; add -p {}=VALUE", name, used, used));
      made.parameters.emplace_back(used, *value);
    }
    bound.push_back(std::move(made));
  }
  for (const auto& [name, value] : given)
    if (!known.contains(name))
      bad_input(fmt::format("-p {}: no query has a parameter :{}; known: {}", name, name, listed(known)));
  return bound;
}

} // namespace sheaf::app
