use super::*;
use crate::model::{Address, Kind, ObjectKey, PartKey, PartKind, Store};

#[test]
fn counts_are_told_with_what_balancing_knows() {
    let service = ObjectKey::new(Store::Files, Kind::Service, "shop", "cart");
    let backend = PartKey::new(PartKind::Backend, service, "80");
    let now = |port: u16, is_out: bool, latency_micros: Option<f32>| EndpointNow {
        backend: backend.clone(),
        address: Address::Socket(([10, 0, 0, 1], port).into()),
        is_out,
        latency_micros,
    };
    let counts = |endpoint: &str, attempts: u64| EndpointCounts {
        backend: "shop/cart:80".to_owned(),
        endpoint: endpoint.to_owned(),
        attempts,
        ..EndpointCounts::default()
    };
    // The first is spoken to in another way than before, the last was never tried.
    let known = [now(1, false, Some(900.0)), now(1, true, Some(1_500.7)), now(3, true, None)];
    let told = endpoints(vec![counts("10.0.0.1:1", 7), counts("10.0.0.1:2", 5)], &known);
    let expected = [
        EndpointCounts { out: true, latency_micros: Some(1_500), ..counts("10.0.0.1:1", 7) },
        counts("10.0.0.1:2", 5),
    ];
    assert_eq!(told, expected);
}
