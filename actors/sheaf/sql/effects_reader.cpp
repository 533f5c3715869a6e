// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/sql/effects_reader.hpp"

#include "sheaf/sql/known_functions.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sheaf {

namespace {

struct beginning {
  std::string_view word;
  statement_effects effects;
};

constexpr statement_effects of_a_query{.effect = effect::reads, .traces = traces::none, .planned = true};
constexpr statement_effects of_a_change{.effect = effect::writes, .traces = traces::none, .planned = true};
constexpr statement_effects of_a_look{.effect = effect::reads, .traces = traces::none};
constexpr statement_effects for_its_session{.effect = effect::writes, .traces = traces::certain};

/// Any other statement writes, and may leave traces.
constexpr beginning postgresql_beginnings[] = {
    {"select", of_a_query},       {"with", of_a_query},
    {"values", of_a_query},       {"table", of_a_query},
    {"show", of_a_look},          {"insert", of_a_change},
    {"update", of_a_change},      {"delete", of_a_change},
    {"merge", of_a_change},       {"truncate", {.effect = effect::writes, .traces = traces::none}},
    {"set", for_its_session},     {"reset", for_its_session},
    {"listen", for_its_session},  {"unlisten", for_its_session},
    {"prepare", for_its_session}, {"deallocate", for_its_session},
    {"declare", for_its_session}, {"load", for_its_session},
    {"discard", for_its_session}, {"begin", for_its_session},
    {"start", for_its_session},
};

/// SQLite shows how it would run whatever follows `explain`, and does not run it. Its sessions are not reset, so traces
/// do not matter.
constexpr beginning sqlite_beginnings[] = {
    {"select", of_a_look}, {"with", of_a_look}, {"values", of_a_look}, {"explain", of_a_look}, {"pragma", of_a_look},
};

/// Pragmas that tell about a table, an index or a file and change nothing, whatever stands in their parentheses.
constexpr std::string_view telling_pragmas[] = {
    "foreign_key_check", "foreign_key_list", "index_info", "index_list",  "index_xinfo",
    "integrity_check",   "quick_check",      "table_info", "table_xinfo", "table_list",
};

/// Pragmas that do something though nothing is given to them.
constexpr std::string_view acting_pragmas[] = {"incremental_vacuum", "optimize", "shrink_memory", "wal_checkpoint"};

constexpr std::string_view change_words[] = {"insert", "update", "delete", "merge"};

/// The words before `temp` where a table is made.
constexpr std::string_view before_temporary[] = {"into", "create", "replace", "local", "global"};

/// The words before a name whose parentheses hold columns.
constexpr std::string_view before_columns[] = {"into", "as", "with", "recursive"};

bool is_one_of(const sql_token& t, const auto& words) noexcept {
  return std::any_of(std::begin(words), std::end(words), [&](std::string_view x) { return t.is_word(x); });
}

bool has(const auto& words, std::string_view word) noexcept {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

const statement_effects* find_beginning(const sql_token& t, const auto& beginnings) noexcept {
  const auto at =
      std::find_if(std::begin(beginnings), std::end(beginnings), [&](auto& x) { return t.is_word(x.word); });
  return at == std::end(beginnings) ? nullptr : &at->effects;
}

/// A function's name as the server has it; empty when it is too long to be one that is known, or spelt with escapes.
class plain_name {
public:
  explicit plain_name(const sql_token& t) noexcept {
    const bool quoted = t.kind == token_kind::name;
    auto text = t.text;
    if (quoted)
      text = text.size() > 2 && text.front() == '"' ? text.substr(1, text.size() - 2) : std::string_view{};
    if (text.size() > letters_.size())
      return;
    size_ = text.size();
    std::transform(text.begin(), text.end(), letters_.begin(),
                   [&](char c) { return !quoted && c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  }

  std::string_view text() const noexcept { return {letters_.data(), size_}; }

private:
  std::array<char, 63> letters_; // PostgreSQL's longest name
  std::size_t size_ = 0;
};

bool is_name(const sql_token& t) noexcept { return t.kind == token_kind::word || t.kind == token_kind::name; }

} // namespace

void effects_reader::take(const sql_token& t) noexcept {
  switch (place_) {
  case place::beginning:
    if (!t.is_sign('(') && !t.is_sign(';'))
      begin(t);
    break;
  case place::explain:
  case place::explain_options:
    explain(t);
    break;
  case place::body:
    if (t.is_sign(';'))
      place_ = place::over;
    else if (t.is_sign('(') && is_name(last_))
      take_call();
    else
      take_word(t);
    break;
  case place::pragma:
    take_pragma(t);
    break;
  case place::over: // two statements: PostgreSQL refuses them, SQLite has its own rules
    if (!t.is_sign(';')) {
      writes();
      leaves(traces::possible);
    }
  }
  if (is_name(t)) {
    const bool has_schema = last_.is_sign('.');
    schema_ = has_schema ? before_last_ : sql_token{};
    if (!has_schema)
      before_name_ = last_;
  }
  before_last_ = std::exchange(last_, t);
}

void effects_reader::begin(const sql_token& t) noexcept {
  place_ = place::body;
  if (postgresql_ && t.is_word("explain")) {
    place_ = place::explain;
    return;
  }
  const auto* known = postgresql_ ? find_beginning(t, postgresql_beginnings) : find_beginning(t, sqlite_beginnings);
  if (known)
    read_ = *known;
  updates_ = t.is_word("update");
  if (!postgresql_ && t.is_word("pragma"))
    place_ = place::pragma;
  explained_ = !postgresql_ && t.is_word("explain");
}

/// `explain` has its options with or without parentheses, and a statement may begin with one.
void effects_reader::explain(const sql_token& t) noexcept {
  const bool in_options = place_ == place::explain_options;
  const bool is_option = in_options && t.kind == token_kind::name; // `("analyze")`, or U&"…", which may be that
  if (t.is_word("analyze") || t.is_word("analyse") || is_option) {
    analyzed_ = true;
  } else if (in_options && t.is_sign(')')) {
    place_ = place::explain;
  } else if (!in_options && t.is_sign('(') && last_.is_word("explain")) {
    place_ = place::explain_options;
  } else if ((!in_options && !t.is_word("verbose") && !t.is_sign('(')) || find_beginning(t, postgresql_beginnings)) {
    begin(t);
    read_.planned = false;
    explained_ = !analyzed_;
  }
}

void effects_reader::take_word(const sql_token& t) noexcept {
  if (!postgresql_ && last_.is_word("replace")) // a call of the function does not come here
    writes();
  if (!is_name(t))
    return;
  const plain_name name{t};
  const bool is_change = is_one_of(t, change_words);
  updates_ = updates_ || t.is_word("update");
  if ((is_change && (last_.is_sign('(') || last_.is_sign(')'))) || t.is_word("into")) {
    writes(); // within `with x as (…)`, or behind it; `select … into`
  } else if (is_change || t.is_word("share")) {
    may_write();                                                                     // `for update`, `for share`
    read_.names_change |= is_change || last_.is_word("for") || last_.is_word("key"); // a column may be called `share`
  } else if (((t.is_word("temp") || t.is_word("temporary")) && is_one_of(last_, before_temporary)) ||
             name.text() == "pg_temp" || name.text().starts_with("pg_temp_") ||
             (t.kind == token_kind::name && t.text.front() != '"')) { // U&"…" may be any name, such as set_config
    leaves(traces::certain);
  } else if (name.text() == "pg_settings") {
    names_settings_ = true;
  }
}

/// A name with an open parenthesis behind it.
void effects_reader::take_call() noexcept {
  const plain_name name{last_};
  if (!postgresql_) {
    if (name.text() == "load_extension")
      may_write();
    return;
  }
  const bool has_schema = schema_.kind != token_kind::end;
  if (!has_schema && last_.kind == token_kind::word && is_followed_by_parentheses(name.text()))
    return;
  if (is_one_of(before_name_, before_columns) || before_name_.is_sign(')'))
    return; // a table's alias
  const bool is_the_servers = !has_schema || plain_name{schema_}.text() == "pg_catalog";
  if (is_the_servers && (name.text() == "lastval" || name.text() == "currval")) {
    read_.asks_for_sequences = true;
  } else if (!is_the_servers || !only_reads(name.text())) {
    may_write();
    leaves(leaves_traces(name.text()) ? traces::certain : traces::possible);
    read_.spoils_session = read_.spoils_session || (is_the_servers && spoils_session(name.text()));
  }
}

/// `pragma name`, `pragma schema.name`, then perhaps `= value` or `(value)`.
void effects_reader::take_pragma(const sql_token& t) noexcept {
  if (is_name(t) && (last_.is_word("pragma") || last_.is_sign('.'))) {
    const plain_name name{t};
    is_telling_pragma_ = has(telling_pragmas, name.text());
    read_.effect = has(acting_pragmas, name.text()) ? effect::writes : effect::reads;
  } else if (!t.is_sign('.') && !t.is_sign(';') && !is_telling_pragma_) {
    writes();
  }
}

void effects_reader::may_write() noexcept { read_.effect = std::max(read_.effect, effect::may_write); }

void effects_reader::leaves(traces x) noexcept { read_.traces = std::max(read_.traces, x); }

statement_effects effects_reader::finish() noexcept {
  if (updates_ && names_settings_)
    leaves(traces::certain);
  if (explained_) {
    read_.effect = effect::reads;
    read_.names_change = false;
    read_.spoils_session = false;
    read_.traces = std::min(read_.traces, traces::possible); // a plan may call a function to know its value
  }
  return read_;
}

} // namespace sheaf
