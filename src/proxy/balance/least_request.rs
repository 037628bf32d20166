//! Power of two choices over what each endpoint would cost now.

use fastrand::Rng;

use super::Field;
use crate::limits;

/// Draws two endpoints by weight and takes, most likely, the one with less to do.
///
/// The cost is (requests in flight + 1) × average latency, the requests counted against those that
/// its weight would give it, and latencies within a factor of [`limits::LATENCY_TIE`] counted as
/// the same. The choice between the two is random with odds that go with the fourth power of the
/// costs: twice the cost gets one in seventeen. A hard comparison would send everything to the
/// endpoint that is faster by a microsecond.
pub(super) fn pick(field: &Field<'_>, rng: &mut Rng) -> Option<usize> {
    let first = field.draw(rng, None)?;
    let Some(second) = field.draw(rng, Some(first)) else { return Some(first) };
    let share = share_of_first(field, first, second);
    Some(if rng.f64() < share { first } else { second })
}

fn share_of_first(field: &Field<'_>, first: usize, second: usize) -> f64 {
    let pair = Pair::new(field, first, second);
    let even = pair.even;
    let share = even / (even + (1.0 - even) * pair.cost_ratio(field).powi(4));
    // The floor is for finding out about an idle endpoint again. Where a request is under way
    // already, its answer will tell; an endpoint that never answers gets no second one for this.
    let probe = |index: usize, even: f64| {
        let idle = field.group.members[index].shared.in_flight() == 0;
        if idle { 2.0 * limits::PROBE_SHARE * even } else { 0.0 }
    };
    share.clamp(probe(first, even), 1.0 - probe(second, 1.0 - even))
}

/// Two endpoints, and what their weights say of them.
struct Pair {
    first: usize,
    second: usize,
    /// The first one's share of the pair at equal costs.
    even: f64,
    /// The first one's share of the requests that both have in flight, as the weights want it.
    weight: f64,
}

impl Pair {
    /// `even` is such that every endpoint ends up with its weight of all requests. Drawing the
    /// second without the first favours light endpoints: a pair {a, b} is drawn with
    /// w(a)·w(b)·(1/(W-w(a)) + 1/(W-w(b))), and choosing a with odds W-w(b) to W-w(a) leaves a
    /// flow between any two that is the same in both directions.
    fn new(field: &Field<'_>, first: usize, second: usize) -> Self {
        let (even, weight) = match field.uneven_sum() {
            None => (0.5, 0.5),
            Some(sum) => {
                let (of_first, of_second) = (field.weight(first), field.weight(second));
                let (without_first, without_second) = (sum - of_first, sum - of_second);
                let even = without_second / (without_first + without_second);
                (even, of_first / (of_first + of_second))
            }
        };
        Self { first, second, even, weight }
    }

    /// How much the first costs, in units of what the second costs. Requests in flight are
    /// compared with the weights' shares of them: a heavy endpoint with many requests has no more
    /// to do than a light one with few, and whatever `even` gives by weight would else be taken
    /// away again as soon as there is load.
    fn cost_ratio(&self, field: &Field<'_>) -> f64 {
        let [first, second] =
            [self.first, self.second].map(|index| &field.group.members[index].shared);
        let (of_first, of_second) = (f64::from(first.in_flight()), f64::from(second.in_flight()));
        let all = of_first + of_second;
        let load = |in_flight: f64, weight: f64| (in_flight + 1.0) / (all * weight + 1.0);
        let requests = load(of_first, self.weight) / load(of_second, 1.0 - self.weight);
        // An endpoint that has never answered is taken to be as fast as the one beside it.
        match (first.latency(), second.latency()) {
            (Some(first), Some(second)) => requests * beyond_a_tie(first / second),
            _ => requests,
        }
    }
}

/// How far a ratio of latencies lies outside the band of ties, without a step at its edges: an
/// endpoint that noise has pushed just over one must not fall to a fraction of its share, because
/// it would then have few answers to show that it was noise.
fn beyond_a_tie(ratio: f32) -> f64 {
    let tie = limits::LATENCY_TIE;
    f64::from(ratio / ratio.clamp(1.0 / tie, tie))
}
