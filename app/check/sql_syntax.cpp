// SPDX-License-Identifier: BSD-3-Clause
//
// Reads the syntax tree that libpg_query gives as JSON. Any thread.

#include "app/check/sql_syntax.hpp"

#include <nlohmann/json.hpp>
#include <pg_query.h>
#include <pthread.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace sheaf::app {

namespace {

using json = nlohmann::json;

/// A name that a statement has in the place of a table.
struct mention {
  std::string name;
  bool may_be_of_with = false; ///< It has no schema, and is read.
  bool written = false;
};

/// Takes the tables out of the tree as it is read: a `RangeVar` has a `relname`, and what a statement writes stands
/// below `relation`, `relations`, `rel` or `view`.
class table_finder final : public json::json_sax_t {
public:
  explicit table_finder(sql_syntax& to) : to_(to) {}

  bool start_object(std::size_t) override {
    statements_ += open_.size() == 2 && open_.back().key == "stmts";
    return open();
  }
  bool end_object() override {
    auto done = std::move(open_.back());
    open_.pop_back();
    close(done);
    return true;
  }
  bool start_array(std::size_t) override { return open(); }
  bool end_array() override { return end_object(); }
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
      open_.back().defined = text;
    return scalar();
  }
  bool boolean(bool x) override {
    if (key_ == "is_from")
      open_.back().copies_in = x;
    else if (key_ == "recursive")
      open_.back().is_recursive = x;
    return scalar();
  }
  bool null() override { return scalar(); }
  bool number_integer(number_integer_t) override { return scalar(); }
  bool number_unsigned(number_unsigned_t) override { return scalar(); }
  bool number_float(number_float_t, const string_t&) override { return scalar(); }
  bool binary(binary_t&) override { return scalar(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

  std::size_t statements() const noexcept { return statements_; }

private:
  using mentions = std::vector<mention>;
  using definitions = std::vector<std::pair<std::string, mentions>>;

  struct node {
    std::string key, table{}, schema{}, defined{};
    bool copies_in = false, is_recursive = false;
    mentions inner{}; ///< What it mentions; the names of its own `with` are still among them.
    mentions outer{}; ///< What its `with` mentions.
    definitions with{};
  };

  /// A key is its value's alone: the next element of a list has none.
  bool scalar() {
    key_.clear();
    return true;
  }

  bool open() {
    open_.push_back({.key = std::exchange(key_, {})});
    return true;
  }

  using names = std::set<std::string_view>;

  static void drop_defined(mentions& from, const names& defined) {
    std::erase_if(from, [&](const mention& x) { return x.may_be_of_with && defined.contains(x.name); });
  }

  static names names_of(const definitions& all) {
    names found;
    for (const auto& [name, mentioned] : all)
      found.insert(name);
    return found;
  }

  static void append(mentions& to, mentions&& more) {
    if (to.empty())
      to.swap(more);
    else
      to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }

  /// Hands on what is known now to the node around it.
  void close(node& done) {
    if (open_.empty()) {
      for (auto& x : done.inner)
        (x.written ? to_.written : to_.read).insert(std::move(x.name));
      return;
    }
    auto& around = open_.back();
    if (done.key == "lockedRels") // aliases
      return;
    if (done.key == "CommonTableExpr") {
      around.with.emplace_back(std::move(done.defined), std::move(done.inner));
      return;
    }
    if (!done.with.empty() && (done.key.empty() || done.key == "ctes")) { // an element of that list, or the list
      std::move(done.with.begin(), done.with.end(), std::back_inserter(around.with));
      return;
    }
    if (done.key == "withClause") {
      close_with(done, around);
      return;
    }
    if (!done.with.empty())
      drop_defined(done.inner, names_of(done.with));
    append(done.inner, std::move(done.outer));
    if (done.key == "CopyStmt" && !done.copies_in)
      for (auto& x : done.inner)
        x.written = x.written && !x.may_be_of_with && copied_ != x.name;
    append(around.inner, std::move(done.inner));
    if (!done.table.empty())
      add(done, around);
  }

  /// A definition sees those before it, or all of them below `recursive`; another table may have its own name.
  static void close_with(node& done, node& around) {
    auto seen = done.is_recursive ? names_of(done.with) : names{};
    for (auto& [name, mentioned] : done.with) {
      drop_defined(mentioned, seen);
      append(around.outer, std::exchange(mentioned, {}));
      seen.insert(name);
    }
    around.with = std::move(done.with);
  }

  void add(const node& x, node& around) {
    const bool is_public = x.schema.empty() || x.schema == "public";
    const bool in_list = open_.size() > 1 && open_[open_.size() - 2].key == "relations";
    const bool is_written = in_list || x.key == "relation" || x.key == "rel" || x.key == "view";
    around.inner.push_back({.name = is_public ? x.table : x.schema + '.' + x.table,
                            .may_be_of_with = x.schema.empty() && !is_written,
                            .written = is_written});
    if (around.key == "CopyStmt")
      copied_ = around.inner.back().name;
  }

  sql_syntax& to_;
  std::vector<node> open_;
  std::string key_, copied_;
  std::size_t statements_ = 0;
};

/// libpg_query makes its tree, and writes it, by functions that call themselves: some 200 bytes of stack for each `+1`
/// of a sum.
constexpr std::size_t stack_per_byte = 256;
constexpr std::size_t own_stack_above = 16 << 10; ///< Bytes of text; any thread has the stack for less.

struct parse_call {
  const std::string& text;
  PgQueryParseResult result{};

  static void* run(void* self) {
    auto& call = *static_cast<parse_call*>(self);
    call.result = pg_query_parse(call.text.c_str());
    return nullptr;
  }
};

/// False when there is no thread for it.
bool run_on_a_stack(parse_call& call, std::size_t bytes) {
  pthread_attr_t how;
  pthread_t thread{};
  pthread_attr_init(&how);
  const bool begun =
      pthread_attr_setstacksize(&how, bytes) == 0 && pthread_create(&thread, &how, &parse_call::run, &call) == 0;
  pthread_attr_destroy(&how);
  return begun && pthread_join(thread, nullptr) == 0;
}

sql_syntax parsed(const std::string& text) {
  sql_syntax out;
  parse_call call{text};
  if (text.size() <= own_stack_above)
    parse_call::run(&call);
  else if (text.size() > syntax_bytes_max || !run_on_a_stack(call, (1 << 20) + stack_per_byte * text.size()))
    return {.unread = true};
  const std::unique_ptr<PgQueryParseResult, void (*)(PgQueryParseResult*)> owner{
      &call.result, [](PgQueryParseResult* x) { pg_query_free_parse_result(*x); }};
  if (const auto* error = call.result.error) {
    out.refusal = error->message;
    out.position = static_cast<std::size_t>(std::max(error->cursorpos, 0));
    return out;
  }
  table_finder finder{out};
  json::sax_parse(std::string_view{call.result.parse_tree}, &finder);
  if (finder.statements() > 1)
    return {.refusal = several_statements};
  return out;
}

bool continues_character(char c) noexcept { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

/// The offset of a character, counted from 1.
std::size_t offset_of(std::string_view text, std::size_t position) {
  std::size_t i = 0;
  for (; i < text.size() && position > 1; ++i)
    position -= i + 1 == text.size() || !continues_character(text[i + 1]);
  return i;
}

/// True for nothing but blanks, line ends and comments up to a line's end.
bool is_between_strings(std::string_view text) {
  bool lines = false;
  while (!text.empty()) {
    if (text.starts_with("--"))
      text.remove_prefix(std::min(text.find('\n'), text.size()));
    else if (std::string_view{" \t\r\n\f"}.find(text.front()) == std::string_view::npos)
      return false;
    else
      lines = text.front() == '\n' || lines, text.remove_prefix(1);
  }
  return lines;
}

/// libpg_query 13 knows no comment between the parts of a string that goes on in another line (PostgreSQL does: manual,
/// 4.1.2.1), and refuses the second part. The text with blanks in the comment's place, character for character; nothing
/// when that is not the cause.
std::optional<std::string> without_comment_in_string(const std::string& text, std::size_t refused_at) {
  const auto second = offset_of(text, refused_at);
  if (second >= text.size() || text[second] != '\'')
    return {};
  constexpr int tries_max = 16; // a comment may have quotes of its own
  auto first = second;
  for (int i = 0; i < tries_max && first > 0; ++i) {
    first = text.rfind('\'', first - 1);
    if (first == text.npos)
      return {};
    const auto between = std::string_view{text}.substr(first + 1, second - first - 1);
    if (between.find("--") == between.npos || !is_between_strings(between))
      continue;
    auto made = text.substr(0, first + 1);
    for (const char c : between)
      if (!continues_character(c))
        made += c == '\n' ? '\n' : ' ';
    return made.append(text, second);
  }
  return {};
}

} // namespace

sql_syntax syntax_of(const std::string& text) {
  auto out = parsed(text);
  constexpr int strings_max = 100;
  auto tried = text;
  for (int i = 0; i < strings_max && out.refusal; ++i) {
    auto next = without_comment_in_string(tried, out.position);
    if (!next)
      return out;
    tried = std::move(*next);
    out = parsed(tried);
  }
  return out;
}

} // namespace sheaf::app
