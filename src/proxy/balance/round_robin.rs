//! Every endpoint in turn, as often as its weight says.

use fastrand::Rng;

use super::Field;
use super::weights::gcd;

/// Takes turns from the process-wide counter until one belongs to an eligible endpoint.
pub(super) fn pick(field: &Field<'_>, rng: &mut Rng) -> Option<usize> {
    let group = field.group;
    let sum = group.weights.sum();
    if sum == 0 {
        return None;
    }
    // Enough for one eligible among many, unless its weight is small beside the others'.
    for _ in 0..2 * group.members.len() {
        let index = group.weights.position(point(group.shared.next_turn(), sum));
        let share = field.share(index);
        if share >= 1.0 || rng.f64() < share {
            return Some(index);
        }
    }
    field.draw_from_all(rng, None)
}

/// Where turn `turn` falls among `sum` weights.
///
/// Stepping by a number that has no divisor in common with `sum` meets every point once in `sum`
/// turns, so the counts are exact; a step near the golden section of `sum` spreads the points of
/// one endpoint evenly, so a heavy endpoint's turns don't come in a row. No table, no state but
/// the counter.
fn point(turn: u64, sum: u64) -> u64 {
    let product = u128::from(turn % sum) * u128::from(step(sum));
    u64::try_from(product % u128::from(sum)).unwrap_or(0)
}

fn step(sum: u64) -> u64 {
    const GOLDEN_SECTION: f64 = 0.618_033_988_749_894_8;
    let mut step = ((sum as f64 * GOLDEN_SECTION) as u64).max(1);
    while gcd(step, sum) != 1 {
        step += 1;
    }
    step
}
