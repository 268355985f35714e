"""Limits on connections: of one network, of its neighbours, and of all."""

from __future__ import annotations

from morefollows.processes.web.connections.open_connections import OpenConnections


class One:
    closed = False

    def shed(self) -> None:
        self.closed = True


def test_a_network_has_so_many_and_its_neighbours_four_times_as_many() -> None:
    connections = OpenConnections(1_000, 2)
    own = [One() for _ in range(3)]
    assert [connections.admit(one, "192.0.2.1") for one in own] == [True, True, False]
    connections.leave(own[0])
    connections.leave(own[0])
    assert connections.admit(One(), "192.0.2.1")
    others = [connections.admit(One(), f"192.0.2.{number}") for number in range(2, 12)]
    assert others == [True] * 6 + [False] * 4
    assert connections.admit(One(), "198.51.100.1")
    many = [connections.admit(One(), f"2001:db8::{number}") for number in range(1, 5)]
    assert many == [True, True, False, False]
    wide = [connections.admit(One(), f"2001:db8:0:{number}::1") for number in range(1, 9)]
    assert wide == [True] * 6 + [False] * 2


def test_when_all_are_open_the_one_that_waits_longest_makes_room() -> None:
    connections = OpenConnections(2, 0)
    busy, waiting, new = One(), One(), One()
    assert connections.admit(busy, "192.0.2.1") and connections.admit(waiting, "192.0.2.1")
    connections.waits(busy)
    connections.waits(waiting)
    connections.works(busy)
    assert connections.admit(new, "192.0.2.1")
    assert waiting.closed and not busy.closed
    assert not connections.admit(One(), "192.0.2.1")  # nobody waits
    assert len(connections) == 2
