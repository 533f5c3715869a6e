// SPDX-License-Identifier: BSD-3-Clause
//
// Neither a client nor the log gets to see a value that a statement failed over.

#include "integration/serve/serve_test.hpp"

#include "support/tainted_queries.hpp"

#include <boost/json/serialize.hpp>

#include <span>

namespace {

using namespace sheaf::test;
namespace json = boost::json;

class ServeTaint : public ServeTest {
protected:
  static std::string requests_of(std::span<const tainted_query> all) {
    std::string made;
    for (std::size_t i = 0; i < all.size(); ++i)
      made += "  r" + std::to_string(i) +
              ": {parameters: {x: {type: text}}, queries: {q: {sql: " + json::serialize(json::string{all[i].sql}) +
              "}}}\n";
    return made;
  }

  void expect_clean(std::span<const tainted_query> all) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto x = post("/requests/r" + std::to_string(i), json::serialize(json::object{{"x", all[i].value}}));
      EXPECT_GE(x.status, 400) << all[i].sql << "\n" << x.body;
      EXPECT_FALSE(is_tainted(x.body)) << all[i].sql << "\n" << x.body;
    }
    EXPECT_FALSE(is_tainted(get("/metrics").body));
    const auto ended = end();
    EXPECT_FALSE(is_tainted(ended.out + ended.err)) << ended.err;
    EXPECT_NE(ended.err.find("rejected_sql"), std::string::npos) << ended.err;
  }
};

TEST_F(ServeTaint, NoAnswerAndNoLineOfTheLogHasAValueOfPostgresql) {
  postgresql_schema schema;
  schema.server(taint_schema);
  serve_postgresql(schema, requests_of(tainted_on_postgresql));
  expect_clean(tainted_on_postgresql);
}

/// They may hold what is in other rows, or words that were meant for others.
TEST_F(ServeTaint, NoAnswerHasNoticesAndDetailsWhichAreInTheLog) {
  postgresql_schema schema;
  schema.server("create function say() returns int language plpgsql as $$ begin raise warning 'of another'; return 7; "
                "end $$; create table book (title text unique); insert into book values ('of another')");
  serve_postgresql(schema, R"yaml(
  say: {queries: {q: select say() as n}}
  violate: {queries: {q: "insert into book values ('of ' || 'another')"}}
)yaml");
  const auto said = get("/requests/say"), refused = post("/requests/violate", "{}");
  EXPECT_EQ(said.status, 200);
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ((said.body + refused.body).find("another"), std::string::npos) << said.body << refused.body;
  const auto log = end().err;
  EXPECT_NE(log.find("severity=WARNING sqlstate=01000 message=\\\"of another\\\""), std::string::npos) << log;
  EXPECT_NE(log.find("detail=\\\"Key (title)=(of another) already exists.\\\""), std::string::npos) << log;
}

TEST_F(ServeTaint, NoAnswerAndNoLineOfTheLogHasAValueOfSqlite) {
  cli::run({"sqlite3", path_of("books.db"),
            "create virtual table words using fts5(word); create table unique_text(x primary key); "
            "insert into unique_text values ('zqTaint7mark')"});
  serve_sqlite(requests_of(tainted_on_sqlite));
  expect_clean(tainted_on_sqlite);
}

TEST_F(ServeTaint, AValueThatDoesNotParseIsTheClientsMistake) {
  postgresql_schema schema;
  serve_postgresql(schema, R"yaml(
  tsquery: {parameters: {x: {type: text}}, queries: {q: "select to_tsquery(:x)"}}
  path: {parameters: {x: {type: text}}, queries: {q: "select '1'::jsonb @? :x::jsonpath"}}
  name: {parameters: {x: {type: text}}, queries: {q: "select :x::regclass"}}
  type: {parameters: {x: {type: text}}, queries: {q: "select :x::regtype"}}
  wrong: {parameters: {x: {type: text}}, queries: {q: "select no_such_column, :x::text"}}
)yaml");
  const auto status = [&](const std::string& request, const char* x) {
    return post("/requests/" + request, json::serialize(json::object{{"x", x}})).status;
  };
  EXPECT_EQ(status("tsquery", "a &"), 422);
  EXPECT_EQ(status("path", "$.a b"), 422);
  EXPECT_EQ(status("name", "no_such_table"), 422);
  EXPECT_EQ(status("name", "a.b.c.d"), 422);
  EXPECT_EQ(status("type", "no such type"), 422);
  EXPECT_EQ(status("wrong", "a"), 500);
}

} // namespace
