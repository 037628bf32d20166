//! Requests that take time, in virtual time: what least-request does with slow endpoints.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::*;
use crate::proxy::registry::InFlight;

/// Workers of one process that take arriving requests in turn.
struct Simulation {
    process: Process,
    workers: Vec<EndpointGroup>,
    rng: Rng,
    now_us: u64,
    arrivals: usize,
    /// (end, arrival number); the guard and the start stand beside it.
    ends: BinaryHeap<Reverse<(u64, usize)>>,
    running: std::collections::HashMap<usize, (InFlight, u64)>,
}

impl Simulation {
    fn new(endpoints: usize, workers: usize) -> Self {
        Self::weighted(&vec![1; endpoints], workers)
    }

    fn weighted(weights: &[u32], workers: usize) -> Self {
        let process = Process::start();
        let workers =
            (0..workers).map(|_| process.worker(policy(Balance::LeastRequest), weights)).collect();
        Self {
            process,
            workers,
            rng: Rng::with_seed(5),
            now_us: 0,
            arrivals: 0,
            ends: BinaryHeap::new(),
            running: std::collections::HashMap::new(),
        }
    }

    /// Poisson arrivals at `per_second`; endpoint `i` answers after an exponential time with mean
    /// `service_ms(i)`, half of it fixed. An infinite time never ends. Returns requests by
    /// endpoint.
    fn run(
        &mut self,
        requests: usize,
        per_second: f64,
        service_ms: impl Fn(usize) -> f64,
    ) -> Vec<u32> {
        let mut counts = vec![0; self.workers[0].members().len()];
        for _ in 0..requests {
            self.now_us += (self.exponential() * 1e6 / per_second) as u64;
            self.finish();
            self.arrivals += 1;
            let now = self.process.after(Duration::from_micros(self.now_us));
            let worker = &self.workers[self.arrivals % self.workers.len()];
            let index = worker.pick(&mut self.rng, None, &[], now).expect("all are in");
            counts[index] += 1;
            let guard = worker.members()[index].shared.begin();
            self.running.insert(self.arrivals, (guard, self.now_us));
            let service_us = service_ms(index) * 1e3 * (0.5 + 0.5 * self.exponential());
            if service_us.is_finite() {
                self.ends.push(Reverse((self.now_us + service_us as u64, self.arrivals)));
            }
        }
        counts
    }

    fn finish(&mut self) {
        while let Some(&Reverse((end, request))) = self.ends.peek()
            && end <= self.now_us
        {
            self.ends.pop();
            let (guard, start) = self.running.remove(&request).expect("ends once");
            let now = self.process.after(Duration::from_micros(end));
            guard.endpoint().observe(Duration::from_micros(end - start), now);
        }
    }

    fn exponential(&mut self) -> f64 {
        -(1.0 - self.rng.f64()).ln()
    }
}

/// Its requests in units of an equal share.
fn share_of_equal(counts: &[u32], index: usize) -> f64 {
    f64::from(counts[index]) * counts.len() as f64 / f64::from(counts.iter().sum::<u32>())
}

#[test]
fn an_endpoint_ten_times_slower_gets_under_a_fifth_of_its_equal_share() {
    for workers in [1, 4] {
        for endpoints in [2, 3, 5, 20] {
            for per_second in [1.0, 20.0, 200.0, 2_000.0] {
                let mut simulation = Simulation::new(endpoints, workers);
                let service = |index| if index == 0 { 100.0 } else { 10.0 };
                let counts = simulation.run(8_000, per_second, service);
                let share = share_of_equal(&counts, 0);
                let what = format!("{workers} workers, {endpoints} endpoints, {per_second}/s");
                assert!(share < 0.2, "{what}: {share} of its equal share, {counts:?}");
                assert!(share > 0.005, "{what}: {share}, not probed any more, {counts:?}");
            }
        }
    }
}

#[test]
fn equal_endpoints_share_equally_under_load() {
    for workers in [1, 4] {
        for per_second in [1.0, 200.0] {
            let counts = Simulation::new(5, workers).run(20_000, per_second, |_| 10.0);
            for index in 0..5 {
                let share = share_of_equal(&counts, index);
                assert!((0.8..1.2).contains(&share), "{workers}, {per_second}/s: {counts:?}");
            }
        }
    }
}

/// A weight is a share of the traffic, however much of it is under way: least-request levels out
/// what the endpoints have to do for their weights, not what they have to do. A light endpoint
/// keeps the little more that a draw by the fourth power of noisy averages gives it.
#[test]
fn weights_hold_under_load() {
    for workers in [1, 4] {
        for (weights, of_last) in [(&[9, 1][..], 0.1), (&[1_000, 1], 0.001), (&[5, 4, 1], 0.1)] {
            for per_second in [800.0, 5_000.0] {
                let counts =
                    Simulation::weighted(weights, workers).run(20_000, per_second, |_| 10.0);
                let share = share_of_equal(&counts, weights.len() - 1) / weights.len() as f64;
                let what = format!("{workers} workers, {weights:?}, {per_second}/s: {counts:?}");
                assert!(share > 0.5 * of_last && share < 1.6 * of_last + 0.02, "{what}");
            }
        }
    }
}

#[test]
fn hiccups_do_not_take_an_endpoint_its_share() {
    for workers in [1, 4] {
        for (one_in, ms) in [(100, 1.0), (50, 3.0), (20, 10.0)] {
            for seed in 0..20 {
                let mut simulation = Simulation::new(2, workers);
                simulation.rng = Rng::with_seed(seed);
                let noise = std::cell::RefCell::new(Rng::with_seed(1_000 + seed));
                let hiccup = || noise.borrow_mut().u32(0..one_in) == 0;
                let counts = simulation.run(1_000, 1_000.0, |_| if hiccup() { ms } else { 0.1 });
                let what = format!("{workers} workers, {ms} ms in 1 of {one_in}: {counts:?}");
                assert!(counts.iter().all(|&count| count >= 300), "{what}");
            }
        }
    }
}

#[test]
fn an_endpoint_that_was_slow_comes_back() {
    for workers in [1, 4] {
        let mut simulation = Simulation::new(5, workers);
        simulation.run(5_000, 100.0, |index| if index == 0 { 100.0 } else { 10.0 });
        simulation.run(6_000, 100.0, |_| 10.0);
        let counts = simulation.run(10_000, 100.0, |_| 10.0);
        let share = share_of_equal(&counts, 0);
        assert!(share > 0.8, "{workers} workers, a minute after its recovery: {share}");
    }
}

#[test]
fn an_endpoint_that_becomes_slow_is_left_within_a_second() {
    let mut simulation = Simulation::new(3, 4);
    simulation.run(3_000, 100.0, |_| 10.0);
    let counts = simulation.run(100, 100.0, |index| if index == 0 { 200.0 } else { 10.0 });
    assert!(counts[0] < 20, "{counts:?}");
}

#[test]
fn an_endpoint_that_never_answers_is_left_alone() {
    for workers in [1, 4] {
        let mut simulation = Simulation::new(3, workers);
        simulation.run(3_000, 100.0, |_| 10.0);
        let counts = simulation.run(10_000, 100.0, |index| match index {
            0 => f64::INFINITY,
            _ => 10.0,
        });
        // Without a single answer only what is in flight tells.
        assert!(counts[0] < 100, "{workers} workers: {counts:?}");
    }
}
