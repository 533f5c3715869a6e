// SPDX-License-Identifier: BSD-3-Clause
//
// The load of sheaf_overload on HikariCP, as one would write it in Java: a thread for each query, which waits for a connection as
// long as its request's deadline lets it, and then for the statement as long as is left. Takes the options of sheaf_overload but
// for --loops and --priorities, with a JDBC URL as --conninfo, and prints the same figures.

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.pool.HikariPool;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
import java.util.concurrent.locks.LockSupport;
import org.postgresql.jdbc.PgStatement;

public class HikariPeer {
  static final String SQL = "select ?::int4 as id from pg_sleep(?)";
  static final double MS = 1e6; // nanoseconds

  static final class Asked {
    long due, sent, answered;
    int id;
    boolean ok;
    String why;
    final AtomicInteger left = new AtomicInteger();
    final AtomicBoolean over = new AtomicBoolean();

    boolean inTime(long deadline) { return ok && answered - sent <= deadline; }
  }

  static final class Phase {
    final String name;
    final List<Asked> requests = new ArrayList<>();
    long length, from, until, answeredBefore, cancelledBefore, answeredAfter, cancelledAfter;

    Phase(String name) { this.name = name; }
  }

  final Map<String, String> how;
  final int sessions, queries;
  final double serviceSeconds, load, capacity;
  final long deadline;
  final Random random;
  final HikariPool pool;
  final ThreadPoolExecutor threads;
  final Phaser open = new Phaser(1);
  final AtomicLong answered = new AtomicLong(), cancelled = new AtomicLong();
  volatile String broken;

  HikariPeer(Map<String, String> how) throws Exception {
    this.how = how;
    sessions = Integer.parseInt(how.get("sessions"));
    queries = Integer.parseInt(how.get("queries"));
    serviceSeconds = number("service-ms") / 1000;
    load = number("load");
    capacity = sessions / (queries * serviceSeconds);
    deadline = (long) ((queries + sessions - 1) / sessions * serviceSeconds * number("deadline-times") * 1e9);
    // As many as queries can wait within a deadline. They are there beforehand: making them would delay who asks.
    int waiting = (int) (Math.max(load, 1) * sessions / serviceSeconds * deadline / 1e9 * 1.2) + 64;
    threads = new ThreadPoolExecutor(waiting, waiting, 1, TimeUnit.MINUTES, new LinkedBlockingQueue<>());
    threads.prestartAllCoreThreads();
    random = new Random(Long.parseLong(how.get("seed")));
    var config = new HikariConfig();
    config.setJdbcUrl(how.get("conninfo"));
    config.setMaximumPoolSize(sessions);
    config.validate();
    // Its pool, as HikariDataSource takes no time to wait for a connection below 250 ms, nor one for each.
    pool = new HikariPool(config);
  }

  double number(String name) { return Double.parseDouble(how.get(name)); }

  /// Throws when it failed otherwise than by overload; else gives why it failed, or null.
  String query(int id, long end) throws SQLException {
    long left = (end - System.nanoTime()) / 1_000_000;
    if (left < 1)
      return "deadline_exceeded/queue";
    try (var connection = pool.getConnection(left); var statement = connection.prepareStatement(SQL)) {
      left = (end - System.nanoTime()) / 1_000_000;
      if (left < 1)
        return "deadline_exceeded/queue";
      statement.unwrap(PgStatement.class).setQueryTimeoutMs(left);
      statement.setInt(1, id);
      statement.setDouble(2, serviceSeconds);
      try (var rows = statement.executeQuery()) {
        if (!rows.next() || rows.getInt(1) != id)
          throw new SQLException("a query got another one's answer");
      }
      answered.incrementAndGet();
      return null;
    } catch (SQLException e) {
      if ("57014".equals(e.getSQLState())) {
        cancelled.incrementAndGet();
        return "deadline_exceeded/execute";
      }
      if (e instanceof java.sql.SQLTransientConnectionException)
        return "deadline_exceeded/queue";
      throw e;
    }
  }

  void ask(Asked x) {
    x.left.set(queries);
    x.sent = System.nanoTime();
    long end = x.sent + deadline;
    open.register();
    for (int i = 0; i < queries; ++i)
      threads.execute(() -> {
        try {
          if (x.over.get())
            return; // another of its queries has failed
          String why = query(x.id, end);
          if (why != null ? x.over.compareAndSet(false, true) : x.left.decrementAndGet() == 0) {
            x.answered = System.nanoTime();
            x.ok = why == null;
            x.why = why;
            open.arriveAndDeregister();
          }
        } catch (Throwable e) {
          broken = e.toString();
        }
      });
  }

  Phase planned(String name, double times, double seconds) {
    var p = new Phase(name);
    p.length = (long) (seconds * 1e9);
    double rate = times * capacity;
    boolean even = how.get("arrivals").equals("even") || name.equals("after");
    var moments = new double[(int) Math.round(rate * seconds)]; // as in offer.cpp
    for (int i = 0; i < moments.length; ++i)
      moments[i] = even ? (i + 0.5) / rate : random.nextDouble() * seconds;
    Arrays.sort(moments);
    for (double at : moments) {
      var x = new Asked();
      x.due = (long) (at * 1e9);
      x.id = random.nextInt(Integer.MAX_VALUE);
      p.requests.add(x);
    }
    return p;
  }

  static void sleepUntil(long at) {
    for (long left; (left = at - System.nanoTime()) > 0;)
      LockSupport.parkNanos(left);
  }

  void run(List<Phase> phases) throws Exception {
    long begin = System.nanoTime() + 10_000_000;
    for (var p : phases) {
      p.from = begin;
      p.until = begin += p.length;
      p.answeredBefore = answered.get();
      p.cancelledBefore = cancelled.get();
      for (var x : p.requests) {
        x.due += p.from;
        sleepUntil(x.due);
        ask(x);
        if (broken != null)
          throw new Exception(broken);
      }
      sleepUntil(p.until);
      p.answeredAfter = answered.get();
      p.cancelledAfter = cancelled.get();
    }
    open.awaitAdvanceInterruptibly(open.arrive(), deadline / 1_000_000 + 20_000, TimeUnit.MILLISECONDS);
  }

  static double quantile(double[] xs, double q) {
    Arrays.sort(xs);
    return xs.length == 0 ? 0 : xs[Math.min(xs.length - 1, (int) (q * xs.length))];
  }

  String figures(Phase p, List<Phase> all) {
    var good = p.requests.stream().filter(x -> x.inTime(deadline)).mapToDouble(x -> (x.answered - x.sent) / MS).toArray();
    var late = p.requests.stream().mapToDouble(x -> (x.sent - x.due) / MS).toArray();
    double overrun = p.requests.stream().mapToDouble(x -> (x.answered - x.sent - deadline) / MS).max().orElse(0);
    long inTime = all.stream().flatMap(o -> o.requests.stream())
                      .filter(x -> x.inTime(deadline) && x.answered >= p.from && x.answered < p.until).count();
    var failures = new TreeMap<String, Integer>();
    for (var x : p.requests)
      if (!x.inTime(deadline))
        failures.merge(x.ok ? "late" : x.why, 1, Integer::sum);
    var named = new StringJoiner(", ");
    failures.forEach((name, count) -> named.add("\"" + name + "\": " + count));
    long done = p.answeredAfter - p.answeredBefore, stopped = p.cancelledAfter - p.cancelledBefore;
    return String.format(Locale.ROOT,
        "{\"asked\": %d, \"in_time\": %d, \"goodput\": %.4f, \"failures\": {%s}, \"statements\": %d, \"cancelled\": %d, "
            + "\"cancelled_share\": %.4f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"overrun_ms_max\": %.3f, \"late_ms_p99\": %.3f}",
        p.requests.size(), good.length, inTime / (capacity * p.length / 1e9), named, done + stopped, stopped,
        (double) stopped / Math.max(1, done + stopped), quantile(good, 0.5), quantile(good, 0.99), Math.max(0, overrun),
        quantile(late, 0.99));
  }

  /// As in report.cpp.
  String recovery(Phase p) {
    long window = 200_000_000, step = 10_000_000;
    for (long at = p.from; at + window <= p.until; at += step) {
      long from = at;
      var asked = p.requests.stream().filter(x -> x.due >= from && x.due < from + window).toList();
      if (!asked.isEmpty() && asked.stream().allMatch(x -> x.inTime(deadline)))
        return String.format(Locale.ROOT, "%.2f", (at - p.from) / 1e9);
    }
    return "null";
  }

  static double peakMb() throws Exception {
    for (var line : Files.readAllLines(Path.of("/proc/self/status")))
      if (line.startsWith("VmHWM:"))
        return Double.parseDouble(line.replaceAll("\\D", "")) / 1024;
    return 0;
  }

  String all() throws Exception {
    long wait = Long.MAX_VALUE / 2;
    while (pool.getTotalConnections() < sessions)
      query(0, System.nanoTime() + wait);
    var alone = new double[9];
    for (int i = 0; i < alone.length; ++i) {
      long begin = System.nanoTime();
      var asked = new ArrayList<Callable<String>>();
      for (int j = 0; j < queries; ++j)
        asked.add(() -> query(0, System.nanoTime() + wait));
      for (var x : threads.invokeAll(asked))
        x.get();
      alone[i] = (System.nanoTime() - begin) / MS;
    }
    double counted = number("seconds");
    double settling = deadline / 1e9 / (load > 1 ? Math.max(0.1, Math.min(load - 1, 1)) : 1);
    var phases = List.of(planned("learning", 0.5, counted / 3), planned("settling", load, settling),
        planned("overload", load, counted), planned("after", 0.8, counted * 2 / 3));
    run(phases);
    var after = phases.get(3);
    return String.format(Locale.ROOT,
        "{\"program\": \"HikariCP\", \"queries\": %d, \"sessions\": %d, \"load\": %s, \"deadline_times\": %s, \"deadline_ms\": %.3f, "
            + "\"capacity_per_s\": %.3f, \"arrivals\": \"%s\", \"seed\": %s, \"alone_ms\": %.3f, \"overload\": %s, \"after\": %s, "
            + "\"recovery_s\": %s, \"rss_mb_max\": %.1f}",
        queries, sessions, how.get("load"), how.get("deadline-times"), deadline / MS, capacity, how.get("arrivals"), how.get("seed"),
        quantile(alone, 0.5), figures(phases.get(2), phases), figures(after, phases), recovery(after), peakMb());
  }

  public static void main(String[] args) {
    var how = new HashMap<>(Map.of("sessions", "4", "queries", "1", "service-ms", "10", "load", "2", "deadline-times", "20",
        "seconds", "2", "arrivals", "poisson", "seed", "1"));
    for (int i = 0; i + 1 < args.length; i += 2)
      how.put(args[i].substring(2), args[i + 1]);
    try {
      System.out.println(new HikariPeer(how).all());
      System.exit(0);
    } catch (Exception e) {
      System.err.println("HikariPeer: " + e);
      System.exit(2);
    }
  }
}
