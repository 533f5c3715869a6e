// SPDX-License-Identifier: BSD-3-Clause

#include "app/commands/help_text.hpp"

#include "app/base/exit.hpp"
#include "app/expression/expression_function.hpp"
#include "app/file/file_keys.hpp"
#include "app/file/parameter_text.hpp"
#include "app/scenario/reply_scope.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sheaf::app {

namespace {

std::string without_marks(std::string_view text) {
  std::string out{text};
  std::erase(out, '`');
  return out;
}

std::string file_text() {
  std::string out =
      "A sheaf file is YAML. docs/sheaf-file.md says more, `sheaf init` writes one, `sheaf check` checks it.\n";
  for (const auto x : all_sections()) {
    out += fmt::format("\nKeys of {}:\n", to_string(x));
    for (const auto& key : keys_of(x))
      out += fmt::format("  {:<25} {}: {}{}\n", key.name, type_text(key), without_marks(key.meaning),
                         key.default_value.empty() ? "" : fmt::format(" Default: {}.", key.default_value));
  }
  return out;
}

std::string expressions_text() {
  std::string functions;
  for (const auto& f : all_functions())
    functions += fmt::format("{}{}", functions.empty() ? "" : ", ", f.name);
  return fmt::format(R"(Expressions say what must hold (expect) and what fills ${{...}} in the values of with.

In expect the key is a path into the reply, and the value is a condition on it:
  total.scalar: "> 0"         a comparison without its left side; and, or go on: ">= 1 and <= 5"
  total.scalar: 6             the value that it has to equal; text in quotes of its own: "'x'"
  elapsed: "< 1.3 * slowest"  with other paths

Of the reply:     {}
Of a query:       QUERY.{}
Literals:         42, 0.5, 1e6, 0.1%, 250ms, 'text', true, false, null
From the weakest: or, and, not, = == != < <= > >=, + -, * /, a sign, parentheses
Functions:        {}
  random(low, high), choose(a, b, ...) and sequence() draw; --seed makes them draw the same again.
)",
                     fmt::join(reply_fields(), ", "), fmt::join(query_fields(), ", QUERY."), functions);
}

std::string values_text() {
  std::string types;
  for (const std::string_view type : {"text", "int", "double", "bool", "bytes"})
    types += fmt::format("  {:<8} {}\n", type, described_type(type));
  return fmt::format(R"(A parameter of a request has a type, and a value from -p, from a step's with, or its default:
{}  Each also as a list: int[]. On the command line: -p ids=1,2,3; in a file: [1, 2, 3]. Values are bound, never put
  into the SQL.

${{NAME}} in a url, a csv path or a value of with is a variable: from -D NAME=VALUE, or from the environment.
${{NAME:-default}} has a default, $${{ is a ${{ as it stands. In with, NAME may be an expression, or a value that an
earlier step captured: see `sheaf help expressions`.
In a url it is one value, whatever characters it has: ${{PASSWORD}} in postgresql://u:${{PASSWORD}}@host/db is
percent-encoded, in host=... password=${{PASSWORD}} escaped. The variable that a url begins with is taken as it stands.
Others can see -D on the command line (ps): passwords belong in the environment, or in libpq's PGPASSWORD or PGPASSFILE.

Durations have a unit: 100us, 250ms, 5s, 1.5m, 2h. Sizes are bytes, or have one: 64KiB, 64MiB, 1GiB.
)",
                     types);
}

std::string exit_codes_text() { return std::string{exit_codes}; }

constexpr std::array<help_topic, 5> topics{{
    {"file", "the keys of a sheaf file", file_text},
    {"schema", "its JSON Schema, which editors complete from", json_schema},
    {"expressions", "the language of expect and ${...}", expressions_text},
    {"values", "parameters, variables, durations and sizes", values_text},
    {"exit-codes", "the exit codes of the commands", exit_codes_text},
}};

} // namespace

std::span<const help_topic> help_topics() noexcept { return topics; }

} // namespace sheaf::app
