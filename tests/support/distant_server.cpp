// SPDX-License-Identifier: BSD-3-Clause

#include "support/distant_server.hpp"

#include "support/counting.hpp"
#include "support/postgresql_server.hpp"

#include <libpq-fe.h>

#include <fmt/format.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace sheaf::test {

namespace {

/// Forks. The child is the first process of a namespace, whose others do not outlive it; nor does the System V memory
/// of a server that is killed.
pid_t fork_into_namespaces() {
  return static_cast<pid_t>(::syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWIPC | SIGCHLD, nullptr, nullptr, nullptr, 0));
}

std::string text_of_file(const std::string& path) {
  std::ifstream in{path};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// The `postgres` that runs the private server that the test was lent.
std::string program() {
  std::string path;
  std::ifstream{environment("SHEAF_TEST_POSTGRES_DATA") + "/postmaster.opts"} >> path;
  return path;
}

} // namespace

distant_server::distant_server(network_link& link) : former_(environment("SHEAF_TEST_POSTGRES")) {
  const auto copy = fmt::format("cp -a '{}/pristine' '{}'", environment("SHEAF_TEST_SERVERS"), data_);
  if (std::system(copy.c_str()) != 0) // NOLINT(bugprone-command-processor): it keeps the owners
    throw std::runtime_error("the private server's data cannot be copied");
  std::filesystem::permissions(folder_ / ".", std::filesystem::perms::others_exec, std::filesystem::perm_options::add);
  std::ofstream{data_ + "/pg_hba.conf"} << "local all all trust\nhost all all 192.0.2.0/30 trust\n";
  link.go_there([this] { start(); });
  try {
    const auto admin = fmt::format("host={} port={} dbname=postgres user=postgres", data_, port);
    if (!eventually([&] { return ::waitpid(process_, nullptr, WNOHANG) != 0 || PQping(admin.c_str()) == PQPING_OK; }))
      throw std::runtime_error("it does not take connections");
    observer{admin}("create role sheaf login superuser");
  } catch (const std::runtime_error& why) {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    throw std::runtime_error(
        fmt::format("the distant PostgreSQL did not start: {}\n{}", why.what(), text_of_file(folder_ / "log")));
  }
  ::setenv("SHEAF_TEST_POSTGRES", fmt::format("host={} port={} dbname=postgres user=sheaf", data_, port).c_str(), 1);
}

distant_server::~distant_server() {
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0); // until all of its namespace are gone
  ::setenv("SHEAF_TEST_POSTGRES", former_.c_str(), 1);
}

/// PostgreSQL refuses to run as root.
void distant_server::start() {
  std::vector<std::string> words{"setpriv", "--pdeathsig", "KILL"};
  if (::geteuid() == 0)
    words.insert(words.end(), {"--reuid=postgres", "--regid=postgres", "--init-groups"});
  words.insert(words.end(), {program(), "-D", data_});
  for (const auto& setting :
       {fmt::format("listen_addresses={}", network_link::there), fmt::format("port={}", port),
        fmt::format("unix_socket_directories={}", data_), std::string{"dynamic_shared_memory_type=sysv"},
        std::string{"fsync=off"}, std::string{"full_page_writes=off"}, std::string{"synchronous_commit=off"}})
    words.insert(words.end(), {"-c", setting});
  std::vector<char*> arguments;
  for (auto& word : words)
    arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const int log = ::open((folder_ / "log").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  process_ = fork_into_namespaces();
  if (process_ == 0) {
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  const auto trouble = std::exchange(errno, 0);
  ::close(log);
  if (process_ < 0)
    throw std::system_error(trouble, std::generic_category(),
                            "no process namespace of the test's own, which takes root");
}

/// One line for each connection, and for each socket that listens (proc(5)).
void distant_server::for_each_connection(const std::function<void(std::size_t unacknowledged)>& f) const {
  constexpr std::string_view our_end = "010200C0:", established = "01", half_closed = "08";
  std::ifstream lines{fmt::format("/proc/{}/net/tcp", process_)};
  for (std::string line; std::getline(lines, line);) {
    std::string number, local, remote, state, queues;
    std::istringstream{line} >> number >> local >> remote >> state >> queues;
    if (remote.starts_with(our_end) && (state == established || state == half_closed))
      f(std::stoul(queues, nullptr, 16));
  }
}

int distant_server::connections() const {
  int count = 0;
  for_each_connection([&](std::size_t) { ++count; });
  return count;
}

std::size_t distant_server::unacknowledged() const {
  std::size_t bytes = 0;
  for_each_connection([&](std::size_t more) { bytes += more; });
  return bytes;
}

} // namespace sheaf::test
