// SPDX-License-Identifier: BSD-3-Clause
//
// Reads the syntax tree that libpg_query gives as JSON. Any thread.

#include "app/check/sql_syntax.hpp"

#include <nlohmann/json.hpp>
#include <pg_query.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <vector>

namespace sheaf::app {

namespace {

using json = nlohmann::json;

/// Takes the tables out of the tree as it is read: a `RangeVar` has a `relname`, and what a statement writes stands
/// below `relation`, `relations`, `rel` or `view`.
class table_finder final : public json::json_sax_t {
public:
  explicit table_finder(sql_syntax& to) : to_(to) {}

  bool start_object(std::size_t) override { return open(); }
  bool end_object() override {
    const auto done = std::move(open_.back());
    open_.pop_back();
    if (!done.table.empty())
      add(done);
    return true;
  }
  bool start_array(std::size_t) override { return open(); }
  bool end_array() override {
    open_.pop_back();
    return true;
  }
  bool key(string_t& name) override {
    key_ = name;
    return true;
  }
  bool string(string_t& text) override {
    if (key_ == "relname")
      open_.back().table = text;
    else if (key_ == "schemaname")
      open_.back().schema = text;
    else if (key_ == "ctename")
      named_.insert(text);
    return true;
  }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

  /// A name that `with` defines is no table.
  void finish() {
    for (const auto& name : named_)
      to_.read.erase(name);
  }

private:
  struct node {
    std::string key, table, schema;
  };

  bool open() {
    open_.push_back({std::exchange(key_, {}), {}, {}});
    return true;
  }

  void add(const node& x) {
    auto name = x.schema.empty() || x.schema == "public" ? x.table : x.schema + '.' + x.table;
    const bool in_list = open_.size() > 1 && open_[open_.size() - 2].key == "relations";
    if (in_list || x.key == "relation" || x.key == "rel" || x.key == "view")
      to_.written.insert(std::move(name));
    else
      to_.read.insert(std::move(name));
  }

  sql_syntax& to_;
  std::vector<node> open_;
  std::string key_;
  std::set<std::string> named_;
};

} // namespace

sql_syntax syntax_of(const std::string& text) {
  sql_syntax out;
  auto parsed = pg_query_parse(text.c_str());
  const std::unique_ptr<PgQueryParseResult, void (*)(PgQueryParseResult*)> owner{
      &parsed, [](PgQueryParseResult* x) { pg_query_free_parse_result(*x); }};
  if (parsed.error) {
    out.refusal = parsed.error->message;
    out.position = static_cast<std::size_t>(std::max(parsed.error->cursorpos, 0));
    return out;
  }
  table_finder finder{out};
  json::sax_parse(std::string_view{parsed.parse_tree}, &finder);
  finder.finish();
  return out;
}

} // namespace sheaf::app
