// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backend/sqlite/statement.hpp"

#include "sheaf/backend/sqlite/error.hpp"
#include "sheaf/backend/sqlite/vfs.hpp"
#include "sheaf/base/error_text.hpp"

#include <soci/sqlite3/soci-sqlite3.h>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

namespace sheaf {

using namespace sqlite_api;

namespace {

/// The end of the white space character or comment at `at`, or `at` when there is none (SQLite: tokenize.c).
std::size_t blank_end(std::string_view sql, std::size_t at) {
  if (std::string_view{" \t\n\f\r"}.find(sql[at]) != std::string_view::npos)
    return at + 1;
  if (sql.substr(at, 2) == "--")
    return std::min(sql.find('\n', at), sql.size());
  if (sql.substr(at, 2) == "/*") {
    const auto end = sql.find("*/", at + 2);
    return end == sql.npos ? sql.size() : end + 2;
  }
  return at;
}

/// The place after blanks, comments and semicolons.
std::size_t skip_blanks(std::string_view sql, std::size_t at) {
  while (at < sql.size()) {
    const auto next = sql[at] == ';' ? at + 1 : blank_end(sql, at);
    if (next == at)
      break;
    at = next;
  }
  return at;
}

/// Reads the word at `at`, in lower case, and moves on to what follows.
std::string next_word(std::string_view sql, std::size_t& at) {
  at = skip_blanks(sql, at);
  std::string word;
  for (; at < sql.size() && ((sql[at] | 0x20) >= 'a' && (sql[at] | 0x20) <= 'z'); ++at)
    word += static_cast<char>(sql[at] | 0x20);
  return word;
}

bool is_pragma(std::string_view sql) {
  std::size_t at = 0;
  auto word = next_word(sql, at);
  if (word == "explain")
    word = next_word(sql, at);
  if (word == "query" && next_word(sql, at) == "plan")
    word = next_word(sql, at);
  return word == "pragma";
}

bool is_attach(std::string_view sql) {
  std::size_t at = 0;
  return next_word(sql, at) == "attach";
}

/// The semicolon after a statement without a body of statements (a trigger has one), or the end of the text.
std::size_t end_of_simple_statement(std::string_view sql, std::size_t at) {
  while (at < sql.size() && sql[at] != ';') {
    const char c = sql[at];
    if (c == '\'' || c == '"' || c == '`' || c == '[') {
      const auto end = sql.find(c == '[' ? ']' : c, at + 1);
      at = end == sql.npos ? sql.size() : end + 1; // a doubled quote reads as two strings, and ends at the same place
    } else {
      const auto next = blank_end(sql, at);
      at = next == at ? at + 1 : next;
    }
  }
  return at;
}

failure rejected(std::string message, std::size_t position = 0) {
  return {.code = errc::rejected_sql, .phase = phase::execute, .message = std::move(message), .position = position};
}

failure several_statements(const parsed_statement& parsed, std::size_t second_at) {
  return rejected("a query is one statement, and here a second one begins: make it a query of its own",
                  parsed.position_in_source(characters(std::string_view{parsed.text}.substr(0, second_at)) + 1));
}

failure not_bindable(std::string_view name, std::string_view why) {
  return {
      .code = errc::invalid_request, .phase = phase::execute, .message = fmt::format("parameter {}: {}", name, why)};
}

std::string iso(std::chrono::year_month_day x) {
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(x.year()), static_cast<unsigned>(x.month()),
                     static_cast<unsigned>(x.day()));
}

std::string iso(timestamp x) {
  const auto day = std::chrono::floor<std::chrono::days>(x);
  const std::chrono::hh_mm_ss time{x - day};
  auto out = fmt::format("{} {:02}:{:02}:{:02}", iso(std::chrono::year_month_day{day}), time.hours().count(),
                         time.minutes().count(), time.seconds().count());
  if (time.subseconds().count() != 0)
    out += fmt::format(".{:06}", time.subseconds().count());
  return out;
}

/// SQLite's own date functions know the years 0000 to 9999, and only within them do texts sort as dates do.
bool has_four_digit_year(date x) {
  const auto year = static_cast<int>(std::chrono::year_month_day{x}.year());
  return year >= 0 && year <= 9999;
}

/// Binds one value; the text says what is wrong with it, if anything is.
class binder {
public:
  binder(sqlite3_stmt* statement, int index) : statement_(statement), index_(index) {}

  int code() const noexcept { return code_; }

  std::string_view operator()(std::monostate) { return done(sqlite3_bind_null(statement_, index_)); }
  std::string_view operator()(bool x) { return done(sqlite3_bind_int(statement_, index_, x ? 1 : 0)); }
  std::string_view operator()(std::int64_t x) { return done(sqlite3_bind_int64(statement_, index_, x)); }
  std::string_view operator()(double x) {
    if (std::isnan(x))
      return "SQLite has no NaN, it would store NULL";
    return done(sqlite3_bind_double(statement_, index_, x));
  }
  std::string_view operator()(const std::string& x) { return text(x, SQLITE_STATIC); }
  std::string_view operator()(const bytes& x) {
    const void* data = x.empty() ? static_cast<const void*>("") : x.data(); // a null pointer would be NULL
    return done(sqlite3_bind_blob64(statement_, index_, data, x.size(), SQLITE_STATIC));
  }
  std::string_view operator()(date x) {
    if (!has_four_digit_year(x))
      return no_such_year;
    return text(iso(std::chrono::year_month_day{x}), SQLITE_TRANSIENT);
  }
  std::string_view operator()(timestamp x) {
    if (!has_four_digit_year(std::chrono::floor<std::chrono::days>(x)))
      return no_such_year;
    return text(iso(x), SQLITE_TRANSIENT);
  }
  std::string_view operator()(const value::array&) {
    return "SQLite has no arrays; pass JSON text, and select from json_each(:name)";
  }

private:
  static constexpr std::string_view no_such_year = "SQLite's dates have years from 0 to 9999";

  std::string_view text(const std::string& x, sqlite3_destructor_type ownership) {
    return done(sqlite3_bind_text64(statement_, index_, x.data(), x.size(), ownership, SQLITE_UTF8));
  }
  std::string_view done(int code) {
    code_ = code;
    return {};
  }

  sqlite3_stmt* statement_;
  int index_;
  int code_ = SQLITE_OK;
};

} // namespace

failure sqlite_failure(sqlite3* db, int result_code) {
  failure f{.code = code_of_sqlite(result_code), .phase = phase::execute, .message = to_one_line(sqlite3_errmsg(db))};
  if (f.code == errc::disk_full)
    f.message += ": the statement was undone; make room on its disk, or raise pragma max_page_count";
  return f;
}

// A constraint's message has names of the schema, and no value; that of a full disk has neither.
failure sqlite_failure(sqlite3* db, int result_code, const std::string& sql, std::vector<secret> values) {
  auto f = sqlite_failure(db, result_code);
  if (!values.empty() && f.code != errc::constraint_violated && f.code != errc::disk_full)
    f.message = to_one_line(
        redacted(sqlite3_errmsg(db), {.secrets = std::move(values), .sql = sql, .repeats = repeats::input}));
  return f;
}

failure sqlite_failure(sqlite3* db, int result_code, const parsed_statement& parsed, const parameters& values) {
  std::vector<std::string> texts;
  texts.reserve(values.size()); // they do not move any more
  std::vector<secret> secrets;
  for (const auto& [name, x] : values) {
    if (x.is_null())
      continue;
    auto& text = texts.emplace_back();
    if (const auto* blob = std::get_if<bytes>(&x.data()))
      text.assign(reinterpret_cast<const char*>(blob->data()), blob->size());
    else
      append_postgresql_text(text, x);
    secrets.push_back({':' + name, text});
  }
  return sqlite_failure(db, result_code, parsed.text, std::move(secrets));
}

void sqlite_statement::finalizer::operator()(sqlite3_stmt* x) const noexcept { sqlite3_finalize(x); }

result<sqlite_statement> sqlite_statement::prepare(sqlite3* db, const parsed_statement& parsed, bool keep) {
  const std::string_view sql = parsed.text;
  const auto start = skip_blanks(sql, 0);
  if (start == sql.size())
    return rejected("the statement is empty");
  const bool pragma = is_pragma(sql);
  if (pragma)
    // Preparing it might run it, so whatever follows has to be found before.
    if (const auto second = skip_blanks(sql, end_of_simple_statement(sql, start)); second != sql.size())
      return several_statements(parsed, second);

  sqlite3_stmt* handle = nullptr;
  const char* tail = nullptr;
  const auto size = static_cast<int>(std::min<std::size_t>(sql.size() - start, std::numeric_limits<int>::max()));
  const int code =
      sqlite3_prepare_v3(db, sql.data() + start, size, keep && !pragma ? SQLITE_PREPARE_PERSISTENT : 0, &handle, &tail);
  sqlite_statement statement{handle, pragma, is_attach(sql)};
  if (code != SQLITE_OK) {
    auto f = sqlite_failure(db, code);
    if (const auto offset = sqlite3_error_offset(db); offset >= 0)
      f.position = parsed.position_in_source(characters(sql.substr(0, start + static_cast<std::size_t>(offset))) + 1);
    return f;
  }
  if (!handle)
    return rejected("the statement is empty");
  if (const auto second = skip_blanks(sql, static_cast<std::size_t>(tail - sql.data())); second != sql.size())
    return several_statements(parsed, second);
  return statement;
}

/// SQLite numbers names in the order in which each first stands, as the scanner does. `:x::y` and `:x(y)` are one name
/// to it, and no parameters of ours.
std::optional<failure> sqlite_statement::check_names(const parsed_statement& parsed) const {
  const auto& ours = parsed.names;
  bool same = !parsed.positional && static_cast<std::size_t>(sqlite3_bind_parameter_count(get())) == ours.size();
  for (std::size_t i = 0; same && i < ours.size(); ++i) {
    const auto* theirs = sqlite3_bind_parameter_name(get(), static_cast<int>(i + 1));
    same = theirs && theirs[0] == ':' && theirs + 1 == ours[i];
  }
  if (same)
    return std::nullopt;
  return failure{.code = errc::invalid_request,
                 .phase = phase::execute,
                 .message = "the statement has parameters of another form than :name"};
}

std::optional<failure> sqlite_statement::bind(const parsed_statement& parsed, const parameters& values) {
  for (std::size_t i = 0; i < parsed.names.size(); ++i) {
    const auto& name = parsed.names[i];
    const auto* value = find(values, name);
    if (!value)
      return not_bindable(name, "no value is given");
    binder bind{get(), static_cast<int>(i + 1)};
    if (const auto wrong = std::visit(bind, value->data()); !wrong.empty())
      return not_bindable(name, wrong);
    if (bind.code() == SQLITE_TOOBIG)
      return not_bindable(name, "the value is longer than SQLite allows");
    if (bind.code() != SQLITE_OK)
      return sqlite_failure(sqlite3_db_handle(get()), bind.code(), parsed, values);
  }
  return std::nullopt;
}

bool sqlite_statement::writes() const noexcept {
  return !pragma_ && !attaches_ && sqlite3_stmt_readonly(get()) == 0 && sqlite3_stmt_isexplain(get()) == 0;
}

int sqlite_statement::step() noexcept {
  std::optional<no_new_files> while_attaching;
  if (attaches_)
    while_attaching.emplace();
  return sqlite3_step(get());
}

failure sqlite_statement::explained(failure f, int result_code) const {
  if (!attaches_)
    return f;
  if (f.code == errc::connection_lost) // it is the other file that cannot be read
    f.code = errc::rejected_sql;
  if ((result_code & 0xff) == SQLITE_CANTOPEN)
    f.message += ": a missing file is only created when its name says so, as in 'file:NAME?mode=rwc'";
  return f;
}

void sqlite_statement::release() noexcept {
  sqlite3_reset(get());
  sqlite3_clear_bindings(get());
}

result<sqlite_statement*> sqlite_statement_cache::get(sqlite3* db, const parsed_statement& parsed) {
  not_kept_.reset();
  if (auto* found = kept_.find(parsed))
    return &found->statement;
  auto prepared = sqlite_statement::prepare(db, parsed, size_max_ > 0);
  if (prepared.has_error())
    return std::move(prepared).error();
  if (auto wrong = prepared->check_names(parsed))
    return std::move(*wrong);
  if (size_max_ == 0 || prepared->pragma())
    return &not_kept_.emplace(std::move(*prepared));
  if (kept_.size() == size_max_)
    kept_.drop(kept_.oldest());
  return &kept_.add({parsed, std::move(*prepared)}).statement;
}

bool sqlite_statement_cache::clear() {
  const bool any = not_kept_ || !kept_.empty();
  not_kept_.reset();
  kept_.clear();
  return any;
}

} // namespace sheaf
