// SPDX-License-Identifier: BSD-3-Clause
//
// Statements that fail in many ways over a value that holds a mark, for tests that look for the mark in what is said of
// them.

#pragma once

#include "sheaf/request.hpp"

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

namespace sheaf::test {

inline constexpr std::string_view taint = "zqTaint7mark";

/// True when a text has the mark or a good piece of it, in any case.
inline bool is_tainted(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text.find("taint7") != text.npos;
}

/// All that a reply says beside its rows.
inline std::string words_of(const reply& x) {
  std::string all;
  const auto add = [&](std::initializer_list<std::string_view> texts) {
    for (const auto text : texts)
      all.append(text) += '\n';
  };
  const auto add_failure = [&](const failure& f) {
    add({to_string(f), f.detail, f.context, f.table, f.column, f.constraint});
  };
  if (x.failure)
    add_failure(*x.failure);
  for (const auto& of : x.outcomes) {
    if (const auto* f = of.error_info())
      add_failure(*f);
    for (const auto& said : of.notices.kept)
      add({said.severity, said.sqlstate, said.message, said.detail, said.hint, said.context});
  }
  return all;
}

struct tainted_query {
  const char *sql, *value; ///< `:x` has the value.
};

/// What `tainted_on_postgresql` needs in its schema.
inline constexpr const char* taint_schema = R"(
create function refuse(x text) returns int language plpgsql as $$ begin
  raise exception 'refused: %', x using detail = 'detail ' || x, hint = 'hint ' || x; end $$;
create function refuse_piece(x text) returns int language plpgsql as $$ begin
  raise exception 'refused: %', left(x, 11) using hint = upper(x); end $$;
create function tell(x text) returns int language plpgsql as $$ begin
  raise notice '%', x; raise info 'of %', upper(x); raise notice '%', left(x, 11);
  raise warning 'warned of %', x using detail = 'detail ' || x, hint = 'hint ' || x;
  raise exception 'no' using table = x, column = x, constraint = x, detail = x, hint = x; end $$;
create function dynamic(x text) returns int language plpgsql as $$ begin execute x; return 1; end $$;
create table unique_text(x text primary key, y int check (y > 0));
insert into unique_text values ('zqTaint7mark', 1);
create table referring (x text references unique_text))";

inline constexpr tainted_query tainted_on_postgresql[] = {
    {"select :x::int", "zqTaint7mark"},
    {"select :x::text::int", "zqTaint7mark"},
    {"select to_tsquery(:x)", "my zqTaint7mark &"},
    {"select :x::tsvector", "'my zqTaint7mark"},
    {"select '1'::jsonb @? :x::jsonpath", "$.my zqTaint7mark"},
    {"select '1'::jsonb @? :x::jsonpath", "$ zqTaint7mark @@"},
    {"select :x::regclass", "zqTaint7mark"},
    {"select :x::regclass", "zqTaint7mark.a.b.c.d"},
    {"select :x::regrole", "zqTaint7mark"},
    {"select :x::regtype", "my zqTaint7mark"},
    {"select :x::regtype", "zqTaint7mark"},
    {"select :x::regproc", "zqTaint7mark"},
    {"select :x::regprocedure", "zqTaint7mark(int)"},
    {"select set_config(:x, 'a', true)", "zqTaint7mark"},
    {"select set_config('work_mem', :x, true)", "zqTaint7mark"},
    {"select set_config(:x, 'a', true)", "a.zqTaint7mark b"},
    {"select current_setting(:x)", "zqTaint7mark"},
    {"select 'x' ~ :x", "zqTaint7mark((("},
    {"select :x::json", "{\"a\": zqTaint7mark}"},
    {"select :x::jsonb", "[\"a\", zqTaint7mark]"},
    {"select :x::xml", "<a>zqTaint7mark"},
    {"select refuse(:x)", "zqTaint7mark"},
    {"select refuse_piece(:x)", "zqTaint7mark and more"},
    {"select tell(:x)", "zqTaint7mark"},
    {"select dynamic(format('select %L::int', :x::text))", "zqTaint7mark"},
    {"select dynamic(format('select tell(%L)', :x::text))", "zqTaint7mark"},
    {"select dynamic(:x)", "select zqTaint7mark"},
    {"select dynamic(:x)", "select 'zqTaint7mark"},
    {"select dynamic(:x)", "zqTaint7mark it"},
    {"select query_to_xml(:x, true, true, '')", "select zqTaint7mark from pg_class"},
    {"insert into unique_text values (:x, 1)", "zqTaint7mark"},
    {"insert into unique_text values (:x || '!', 0)", "zqTaint7mark"},
    {"update unique_text set y = 0 where x = :x", "zqTaint7mark"},
    {"insert into referring values (:x || '!')", "zqTaint7mark"},
    {"select now() at time zone :x", "7zqTaint7mark"},
    {"select :x::inet", "10.0.0.zqTaint7mark"},
    {"select :x::uuid", "zqTaint7mark"},
    {"select :x::int[]", "{1,zqTaint7mark}"},
    {"select :x::text[]", "{1,zqTaint7mark"},
    {"select :x::numeric", "zqTaint7mark"},
    {"select :x::bytea", "\\xzqTaint7mark"},
    {"select :x::interval", "zqTaint7mark"},
    {"select :x::date", "zqTaint7mark"},
    {"select decode(:x, 'base64')", "zqTaint7mark#"},
    {"select encode('a', :x)", "zqTaint7mark"},
    {"select nextval(:x)", "zqTaint7mark"},
    {"select has_table_privilege(:x, 'select')", "zqTaint7mark"},
    {"select date_trunc(:x, now())", "zqTaint7mark"},
    {"select format(:x)", "%zqTaint7mark"},
    {"select jsonb_set('[1]', array[:x], '2')", "zqTaint7mark"},
    {"select :x::int4range", "[zqTaint7mark"},
    {"select (:x || ' it')::int", "zqTaint7mark"},
    {"select upper(:x)::int", "zqTaint7mark"},
};

inline constexpr tainted_query tainted_on_sqlite[] = {
    {"select json(:x)", "{zqTaint7mark"},
    {"select json_extract('{}', :x)", "zqTaint7mark"},
    {"attach :x as other", "/nowhere/zqTaint7mark.db"},
    {"select load_extension(:x)", "zqTaint7mark"},
    {"select count(*) from words where words match :x", "zqTaint7mark:"},
    {"select count(*) from words where words match :x", "zqTaint7mark: x"},
    {"select count(*) from words where words match :x", "\"zqTaint7mark"},
    {"insert into words(words) values (:x)", "zqTaint7mark"},
    {"insert into unique_text values (:x)", "zqTaint7mark"},
    {"select 'a' regexp :x", "zqTaint7mark"},
};

} // namespace sheaf::test
