#!/usr/bin/env escript
%%! +S 1:1
%% The local workloads in Erlang, one scheduler: escript bench.escript <workload> <size> <in flight>
%% Prints a measure, its value, what was expected and what was seen.
-module(bench).
-mode(compile).
-behaviour(gen_server).
-export([main/1, init/1, handle_call/3, handle_cast/2]).

main(["idle", Size, _]) ->
    {Bytes, Expected, Seen} = idle(list_to_integer(Size)),
    io:format("size ~f ~b ~b~n", [Bytes, Expected, Seen]);
main([Workload, Size, InFlight]) ->
    [Count, Flying] = [list_to_integer(Text) || Text <- [Size, InFlight]],
    run(Workload, max(1, Count div 4), Flying),
    FromUs = erlang:monotonic_time(microsecond),
    {Expected, Seen} = run(Workload, Count, Flying),
    TookUs = erlang:monotonic_time(microsecond) - FromUs,
    %% What comes too often comes now.
    timer:sleep(5),
    io:format("rate ~f ~b ~b~n", [Expected / (TookUs / 1.0e6), Expected, Seen()]).

run("ping-pong", Size, _) -> ping_pong(Size);
run("fan-in", Size, _) -> fan_in(Size);
run("tell", Size, InFlight) -> tell(Size, InFlight);
run("ask", Size, InFlight) -> ask(Size, InFlight);
run("spawn-stop", Size, Alive) -> spawn_stop(Size, Alive);
run("restart", Size, _) -> restart(Size).

%% ping-pong: two processes and one message.
ping_pong(Size) ->
    Main = self(),
    Players = [A, B] = [spawn_link(fun() -> receive {other, Other} -> player(Other, Main, 0) end end) || _ <- [a, b]],
    A ! {other, B},
    B ! {other, A},
    A ! {ball, Size},
    receive done -> ok end,
    {Size, fun() -> counted(Players) end}.

player(Other, Main, Seen) ->
    receive
        {ball, 1} -> Main ! done, player(Other, Main, Seen + 1);
        {ball, Left} -> Other ! {ball, Left - 1}, player(Other, Main, Seen + 1);
        {count, From} -> From ! {counted, Seen}
    end.

%% fan-in: 8 senders, one receiver, burst after burst.
-define(SENDERS, 8).
-define(BURST, 1000000).

fan_in(Size) ->
    Main = self(),
    Sink = spawn_link(fun() -> sink(Main, 0, 0) end),
    Expected = bursts(Size, Sink),
    {Expected, fun() -> counted([Sink]) end}.

bursts(Left, _) when Left =< 0 -> 0;
bursts(Left, Sink) ->
    Each = ceil(min(Left, ?BURST) / ?SENDERS),
    Sink ! {expect, Each * ?SENDERS},
    [spawn_link(fun() -> send(Sink, Each) end) || _ <- lists:seq(1, ?SENDERS)],
    receive done -> ok end,
    Each * ?SENDERS + bursts(Left - ?BURST, Sink).

send(_, 0) -> ok;
send(Sink, Left) -> Sink ! {item, Left}, send(Sink, Left - 1).

sink(Main, Seen, Until) ->
    receive
        {item, _} when Seen + 1 =:= Until -> Main ! done, sink(Main, Seen + 1, Until);
        {item, _} -> sink(Main, Seen + 1, Until);
        {expect, More} -> sink(Main, Seen, Seen + More);
        {count, From} -> From ! {counted, Seen}
    end.

%% tell: 8 supervisors with 7 workers each, four shapes of messages.
tell(Size, InFlight) ->
    Main = self(),
    Each = ceil(Size / InFlight),
    Supervisors = [spawn_link(fun() -> family(First, Main) end) || First <- lists:seq(0, 56, 8)],
    Pids = lists:append([receive {family, Supervisor, Workers} -> [Supervisor | Workers] end || Supervisor <- Supervisors]),
    Refs = list_to_tuple(Pids),
    [Pid ! {refs, Refs} || Pid <- Pids],
    [element((Index band 63) + 1, Refs) ! {a, Each} || Index <- lists:seq(0, InFlight - 1)],
    [receive done -> ok end || _ <- lists:seq(1, InFlight)],
    {Each * InFlight, fun() -> counted(Pids) end}.

family(First, Main) ->
    Workers = [spawn_link(fun() -> worker(Index, Main) end) || Index <- lists:seq(First + 1, First + 7)],
    Main ! {family, self(), Workers},
    worker(First, Main).

worker(Index, Main) -> receive {refs, Refs} -> worker(Index, Main, Refs, 0, 0) end.
worker(Index, Main, Refs, Seen, Count) ->
    receive
        {a, Left} -> pass_on(Index, Main, Refs, Seen, Count, Left);
        {b, _, Left} -> pass_on(Index, Main, Refs, Seen, Count, Left);
        {c, _, Left} -> pass_on(Index, Main, Refs, Seen, Count, Left);
        {d, _, _, Left} -> pass_on(Index, Main, Refs, Seen, Count, Left);
        {count, From} -> From ! {counted, Count}
    end.
pass_on(Index, Main, Refs, Before, Count, Left) ->
    Seen = Before + Index rem 7 + 1,
    case Left of
        1 -> Main ! done;
        _ -> element(((Index * 13 + 5 + (Seen band 7)) band 63) + 1, Refs) ! shape(Index band 3, Seen, Left - 1)
    end,
    worker(Index, Main, Refs, Seen, Count + 1).
shape(0, _, Left) -> {a, Left};
shape(1, _, Left) -> {b, <<"x">>, Left};
shape(2, Seen, Left) -> {c, [Seen], Left};
shape(3, Seen, Left) -> {d, true, {Seen}, Left}.

%% ask: gen_server:call.
ask(Size, InFlight) ->
    Main = self(),
    {ok, Echo} = gen_server:start_link(?MODULE, [], []),
    Each = ceil(Size / InFlight),
    [spawn_link(fun() -> Main ! {answered, asker(Echo, Each, 0)} end) || _ <- lists:seq(1, InFlight)],
    Seen = lists:sum([receive {answered, Count} -> Count end || _ <- lists:seq(1, InFlight)]),
    {Each * InFlight, fun() -> Seen end}.

asker(_, 0, Answered) -> Answered;
asker(Echo, Left, Answered) ->
    case gen_server:call(Echo, {echo, Left}, 5000) of
        Left -> asker(Echo, Left - 1, Answered + 1);
        _ -> asker(Echo, Left - 1, Answered)
    end.

init([]) -> {ok, none}.
handle_call({echo, Value}, _, State) -> {reply, Value, State}.
handle_cast(_, State) -> {noreply, State}.

%% spawn-stop: so many alive at once; the end of each is seen by its monitor.
spawn_stop(Size, Alive) ->
    Seen = spawn_stop(Size, Alive, 0),
    {Size, fun() -> Seen end}.
spawn_stop(Left, _, Seen) when Left =< 0 -> Seen;
spawn_stop(Left, Alive, Seen) ->
    Batch = [spawn_monitor(fun idle/0) || _ <- lists:seq(1, min(Left, Alive))],
    [Pid ! {hello, self()} || {Pid, _} <- Batch],
    [receive taken -> ok end || _ <- Batch],
    [Pid ! stop || {Pid, _} <- Batch],
    Ended = [receive {'DOWN', _, _, _, normal} -> 1 end || _ <- Batch],
    spawn_stop(Left - Alive, Alive, Seen + length(Ended)).

%% restart: a supervisor by hand.
restart(Size) ->
    Main = self(),
    Seen = counters:new(1, []),
    spawn_link(fun() -> process_flag(trap_exit, true), start(Main, Seen) ! {crash, Size}, supervisor(Main, Seen) end),
    receive done -> ok end,
    {Size, fun() -> counters:get(Seen, 1) end}.

start(Main, Seen) -> spawn_link(fun() -> crashing(Main, Seen, 0) end).
supervisor(Main, Seen) ->
    receive {'EXIT', _, {crash, Left}} -> start(Main, Seen) ! {check, Left}, supervisor(Main, Seen) end.
crashing(Main, Seen, Handled) ->
    receive
        {crash, Left} -> exit({crash, Left});
        {check, Left} ->
            Handled =:= 0 andalso counters:add(Seen, 1, 1),
            case Left of 1 -> Main ! done; _ -> self() ! {crash, Left - 1} end,
            crashing(Main, Seen, Handled + 1)
    end.

%% idle: bytes of processes that have taken a message each.
idle(Size) ->
    Before = used_by_processes(),
    Pids = [spawn(fun idle/0) || _ <- lists:seq(1, Size)],
    [Pid ! {hello, self()} || Pid <- Pids],
    Taken = length([receive taken -> taken end || _ <- Pids]),
    Bytes = used_by_processes() - Before,
    Alive = length([alive || Pid <- Pids, is_process_alive(Pid)]),
    {Bytes / Size, 2 * Size, Taken + Alive}.
idle() ->
    receive
        {hello, From} -> From ! taken, idle();
        stop -> ok
    end.
used_by_processes() -> garbage_collect(), erlang:memory(processes_used).

counted(Pids) ->
    [Pid ! {count, self()} || Pid <- Pids],
    lists:sum([receive {counted, Seen} -> Seen end || _ <- Pids]).
