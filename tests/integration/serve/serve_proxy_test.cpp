// SPDX-License-Identifier: BSD-3-Clause
//
// `sheaf serve` behind nginx: as the documentation has it, with HTTP/2 in front, and as nginx is without a word.

#include "integration/serve/serve_test.hpp"
#include "support/silent_server.hpp"

#include <fmt/format.h>

namespace {

using namespace sheaf::test;
using testing::HasSubstr;
using testing::StartsWith;

class ServeProxy : public ServeTest {
protected:
  void serve_streams() {
    serve_postgresql(schema,
                     "  good: {queries: {rows: {sql: \"select repeat('x', 100) from generate_series(1, 20000)\", "
                     "stream: true}}}\n"
                     "  bad: {queries: {rows: {sql: \"select repeat('x', 100), 1 / (n - 50000) from "
                     "generate_series(1, 100000) n\", stream: true}}}\n");
  }

  /// A port that nobody listens on.
  static int free_port() { return silent_server{}.port(); }

  void start_nginx(const std::string& servers) {
    std::filesystem::permissions(folder.path(), std::filesystem::perms{0755}); // it may change its user
    write("nginx.conf", "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\n"
                        "access_log off;\nclient_body_temp_path body;\nproxy_temp_path proxy;\nfastcgi_temp_path "
                        "fastcgi;\nuwsgi_temp_path uwsgi;\nscgi_temp_path scgi;\n" +
                            servers + "}\n");
    nginx = std::make_unique<cli::child>(
        cli::words{"/usr/sbin/nginx", "-p", folder.path(), "-e", "stderr", "-c", path_of("nginx.conf").string()});
    ASSERT_TRUE(eventually([&] { return http_client{front}.connected(); })) << nginx->finish().err;
  }

  cli::finished curl(cli::words words) const {
    words.insert(words.begin(), {"curl", "--silent", "--show-error", "--output", path_of("answer")});
    return cli::run(words);
  }

  postgresql_schema schema;
  const int front = free_port();
  std::unique_ptr<cli::child> nginx;
};

/// The lines of the example in the documentation, with this test's places.
std::string example(const std::string& certificate, const std::string& key, int front, int port) {
  std::string all;
  bool within = false;
  for (auto line : cli::lines_of(cli::text_of(std::filesystem::path{SHEAF_SOURCE_DIR} / "docs/http.md"))) {
    within = (within || line.starts_with("    upstream sheaf")) && (line.empty() || line.starts_with("    "));
    if (!within)
      continue;
    const auto put = [&](std::string_view place, const std::string& by) {
      if (const auto at = line.find(place); at != line.npos)
        line.replace(at, place.size(), by);
    };
    put("443", "127.0.0.1:" + std::to_string(front));
    put("127.0.0.1:8080", "127.0.0.1:" + std::to_string(port));
    put("cert.pem", certificate);
    put("key.pem", key);
    all += line + '\n';
  }
  return all;
}

TEST_F(ServeProxy, IsReachedByHttp2AsDocumented) {
  serve_streams();
  make_certificate();
  start_nginx(example(path_of("cert.pem"), path_of("key.pem"), front, port));
  const auto at = fmt::format("https://localhost:{}", front);
  const cli::words how{"--http2", "--cacert", path_of("cert.pem"), "--write-out", "%{http_version} %{http_code}"};
  const auto ask = [&](cli::words more) {
    more.insert(more.end(), how.begin(), how.end());
    return curl(more);
  };
  EXPECT_EQ(ask({at + "/requests/good"}).out, "2 200");
  EXPECT_EQ(ask({at + "/requests/good", "--header", "Content-Type: application/json", "--data", "{}"}).out, "2 200");
  EXPECT_EQ(ask({at + "/"}).out, "2 200");
  EXPECT_NE(ask({at + "/requests/bad"}).exit_code, 0) << "a part does not pass for the whole";
}

TEST_F(ServeProxy, HasNoPartPassForTheWholeWhateverItSpeaks) {
  serve_streams();
  start_nginx(
      fmt::format("server {{ listen 127.0.0.1:{}; location / {{ proxy_pass http://127.0.0.1:{}; }} }}\n", front, port));
  const auto at = fmt::format("http://127.0.0.1:{}", front);
  EXPECT_EQ(curl({at + "/requests/good"}).exit_code, 0);
  EXPECT_NE(curl({at + "/requests/bad"}).exit_code, 0) << "nginx asks by HTTP/1.0";
}

} // namespace
