#ifndef FLOE_ASYNC_CLIENT_HPP
#define FLOE_ASYNC_CLIENT_HPP
/* A program's connection to the node on its machine, and the loop that serves it. Part of floe/async.hpp, which says what
 * holds for all of it: time, callbacks, errors, threads, fork, lifetime. */
#include <floe/async/questions.hpp>
#include <floe/async/records.hpp>

#include <memory>
#include <type_traits>

namespace floe::async {

class FLOE_ASYNC_API client {
 public:
  /// Makes the loop, and connects to nobody. Throws std::system_error if the system has no descriptors left.
  client();
  ~client();
  client(client&&) noexcept;
  client& operator=(client&&) noexcept;

  // ---- the loop: a program's own ...

  /// Readable when process() has something to do, timers included. The same one as long as the client lives; only to be polled
  /// for reading.
  int descriptor() const noexcept;
  /// Does what can be done now and does not wait: how many callbacks have run. Bounded, so that others get their turn: while
  /// something is left the descriptor is readable.
  std::size_t process();

  // ---- ... or the library's

  /// Until stop() is called, or a callback throws.
  void run();
  /// The same, for a while: false if stop() has ended it.
  bool run_for(limit);
  /// Until `over()` is true, which is asked after each turn: false if it was not within the limit, or stop() was called.
  bool run_until(const std::function<bool()>& over, limit);
  /// Ends the run function that is going on, or the next one. Any thread.
  void stop();
  /// Runs within process() or a run function. Any thread.
  void post(std::function<void()>);
  /// After a while, as a callback.
  void later(limit, std::function<void()>);

  // ---- the connection

  /// Starts connecting; one that is there is closed first. Requests can be made when `connected` has been called; before, they
  /// end with errc::not_connected.
  void connect(options, events);
  /// Ends the connection: outstanding requests end with errc::disconnected, locks are void. No event. What is listened to and
  /// tunnels are taken up again by the next connect(), as they are by a reconnect.
  void close();
  bool connected() const noexcept;
  /// The number of the node of this client; 0xFFFFFFFF while not connected.
  std::uint32_t pnn() const noexcept;
  /// Requests to the node without an answer; what is done in lent memory (options::record_tables) is none.
  std::size_t outstanding() const noexcept;

  // ---- databases: named by an id, the same on all nodes

  /// Makes the database on all nodes if need be. Waits for a recovery that is going on.
  void attach(std::string_view name, kind, limit, done<std::uint32_t>);
  /// Of a database that is attached, by its name or "0x" and its id. errc::no_database: none of this name.
  void find(std::string_view name_or_id, limit, done<std::uint32_t>);
  /// All nodes forget the volatile database and its records. Refused while clients of any connected node may attach databases
  /// (tunable AllowClientDBAttach, which an operator sets to 0 before). The limit is for each of two steps.
  void detach(std::uint32_t db, limit, done<void>);
  /// Of a volatile database, till the node ends: this node may have read-only copies of records that others own, and others of
  /// this node's. To be said to every node that is to have some.
  void allow_copies(std::uint32_t db, limit, done<void>);

  // ---- records; keys and data are octets, a key has at least one

  /// The record comes here and is locked: first come, first served, in the whole cluster. errc::timed_out: not granted within
  /// the limit (`text` says who has it); what is granted later is given back by itself. A limit of 0: at once or not at all,
  /// which is not if the record is on another node.
  void lock(std::uint32_t db, std::string_view key, limit, done<record_lock>);
  void read(std::uint32_t db, std::string_view key, read_from, limit, done<record>);

  /// Waits for transactions of others. Refused for volatile databases.
  void begin(std::uint32_t db, limit, done<transaction>);
  /// The same without stores: others may read at the same time.
  void begin_reading(std::uint32_t db, limit, done<transaction>);

  /// Every record of the cluster, in no order: `each` for every one, then done with how many. False from `each` ends it early,
  /// well. No snapshot: a record that moves meanwhile may come twice or not at all; when a node takes longer than its tunable
  /// TraverseTimeout, the end looks like any other. `with_empty`: deleted records that are not forgotten yet, too.
  void traverse(std::uint32_t db, bool with_empty, limit,
                std::function<bool(const shown_record&)> each, done<std::uint64_t>);
  /// What this node has, in the order of its store: copies of what others own and deleted records among it. What changes
  /// meanwhile is seen old or new. The limit is for each page of about a megabyte.
  void traverse_here(std::uint32_t db, limit, std::function<bool(const shown_record&)> each,
                     done<std::uint64_t>);

  // ---- messages: data for whoever listens to a number (srvid). Nobody answers, and what is sent to who is not there is lost

  /// One handler for a number, a second one takes the place of the first. Done when the node knows.
  void listen(std::uint64_t srvid, std::function<void(const message&)>, limit, done<void>);
  void unlisten(std::uint64_t srvid);
  /// To one node, `here`, or one of the broadcast addresses. Nothing happens while not connected.
  void send(std::uint32_t to, std::uint64_t srvid, std::string_view data);
  void send_many(const std::vector<std::uint32_t>& nodes, std::uint64_t srvid,
                 std::string_view data);

  // ---- tunnels: packets for who has opened the same number on another node, or on this one; one client of a node at a time

  /// Refused: another client of this node has it.
  void open_tunnel(std::uint64_t tunnel, std::function<void(const tunnel_packet&)>, limit,
                   done<void>);
  void close_tunnel(std::uint64_t tunnel);
  /// Through a tunnel that is open here, to one node by its number (not `here`).
  void send_tunnel(std::uint32_t to, std::uint64_t tunnel, std::uint32_t flags,
                   std::string_view data);

  // ---- controls

  /// Any control of the protocol, by its number, to one node. Octets as the protocol has them (host order). `srvid`: the
  /// argument of controls that have one; `flags`: those of the control, NOREPLY excepted.
  void control(std::uint32_t to, std::uint32_t opcode, std::string_view data, limit, done<reply>,
               std::uint64_t srvid = 0, std::uint32_t flags = 0);
  /// Nobody answers it, so that it may go to broadcast addresses. Nothing happens while not connected.
  void control_unanswered(std::uint32_t to, std::uint32_t opcode, std::string_view data,
                          std::uint64_t srvid = 0);
  /// The same to many nodes: a result for each, in the order given, when all have answered or their limit has come. A node that
  /// is named twice is asked twice.
  void control_many(const std::vector<std::uint32_t>& nodes, std::uint32_t opcode,
                    std::string_view data, limit,
                    std::function<void(std::vector<node_result<reply>>)>, std::uint64_t srvid = 0);

  /// With types: questions.hpp.
  template <class T, class Done>
  void ask(std::uint32_t to, question<T> q, limit t, Done tell) {
    control(to, q.opcode, q.request, t,
            [to, read = q.read, tell = std::move(tell)](result<reply> r) mutable {
              tell(r ? read(to, *r) : result<T>(r.why()));
            });
  }
  template <class T, class Done>
  void ask_many(const std::vector<std::uint32_t>& nodes, question<T> q, limit t, Done tell) {
    control_many(
        nodes, q.opcode, q.request, t,
        [read = q.read, tell = std::move(tell)](std::vector<node_result<reply>> replies) mutable {
          std::vector<node_result<T>> all;
          all.reserve(replies.size());
          for (auto& r : replies)
            all.push_back({r.node, r.answer ? read(r.node, *r.answer) : result<T>(r.answer.why())});
          tell(std::move(all));
        });
  }

  // ---- the cluster

  /// As the own node sees it, in the order of the nodes file.
  void nodes(which_nodes, limit, done<std::vector<std::uint32_t>>);
  /// Whether a process is a client of that node, and alive. An error: the node could not be asked, so that it is not known.
  void process_exists(std::uint32_t node, std::int32_t pid, limit, done<bool>);
  /// Whether it listens to this number.
  void process_listens(std::uint32_t node, std::int32_t pid, std::uint64_t srvid, limit,
                       done<bool>);
  /// A name that no other program has, nor a later one with the same process id. Good until give_up_name, or until the client
  /// ends or loses its node; after a reconnect to the same node it is good again. A client may have several.
  void name_myself(limit, done<server_id>);
  void give_up_name(const server_id&);
  /// Whether who has this name is there. Of names that CTDB's programs and smbd have made the process alone is asked for.
  void server_exists(const server_id&, limit, done<bool>);

  // ---- recoveries: so that a program can say why it waits

  /// How far recoveries are on the own node: at first what is so then, after that every change; after a reconnect anew. One
  /// handler; a second one takes its place. Refused by Samba's ctdbd, which does not tell.
  void watch_recoveries(std::function<void(const recovery_change&)>, limit, done<void>);
  void unwatch_recoveries();
  /// As it was told last, while watching; else `serving`.
  async::phase phase(std::uint32_t db) const;
  /// The node's recovery mode, as it was told last.
  bool recovering() const noexcept;
  /// Done when that node's recovery mode is normal: the generation. It is asked every 50 ms.
  void wait_recovered(std::uint32_t node, limit, done<std::uint32_t>);

 private:
  std::shared_ptr<inside::core> core_;
};

}  // namespace floe::async
#endif
