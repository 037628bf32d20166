//! The weights of a name's addresses: together they weigh what the name was given.

#[cfg(test)]
mod tests;

/// Beyond this the shares are rounded: 1/10,000 is finer than any balancer's dice.
const SCALE: u64 = 10_000;

/// Divides each weight among `count` addresses, in the smallest whole numbers that keep the
/// shares. Rows of (weight, count) with a count above 0; one weight per row comes back, for each
/// of its addresses.
pub(super) fn shared_out(rows: &[(u32, usize)]) -> Vec<u32> {
    let all = rows.iter().fold(1, |all, (_, count)| lcm(all, *count as u64).min(SCALE));
    let scale = |(weight, count): &(u32, usize)| match weight {
        0 => 0,
        _ => (u64::from(*weight) * all / *count as u64).max(1),
    };
    let scaled: Vec<u64> = rows.iter().map(scale).collect();
    let common = scaled.iter().copied().fold(0, gcd).max(1);
    let least = |weight: u64| u32::try_from(weight / common).unwrap_or(u32::MAX);
    scaled.into_iter().map(least).collect()
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn lcm(a: u64, b: u64) -> u64 {
    a / gcd(a, b).max(1) * b
}
