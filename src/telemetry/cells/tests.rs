use super::*;
use crate::telemetry::WorkerMetrics;

/// Has one answer for a type that is not `Send`, and two, so none, for one that is.
trait IsNotSend<Marker> {
    fn holds() {}
}

impl<T> IsNotSend<()> for T {}
impl<T: Send> IsNotSend<u8> for T {}

/// That a cell has one writer rests on this: it fails by not compiling.
#[test]
fn handles_of_a_worker_stay_on_its_thread_and_shared_ones_need_not() {
    <Counter as IsNotSend<_>>::holds();
    <Gauge as IsNotSend<_>>::holds();
    <Histogram as IsNotSend<_>>::holds();
    <WorkerMetrics as IsNotSend<_>>::holds();
    fn is_shared<T: Send + Sync>() {}
    is_shared::<SharedCounter>();
    is_shared::<SharedGauge>();
}

#[test]
fn cells_of_one_slot_do_not_touch_those_of_another() {
    let chunk = Arc::new(Chunk::new());
    let slots = [0, 16, 240].map(|index| Slot::new(chunk.clone(), index));
    let histograms = slots.clone().map(|slot| Histogram::new(slot.hold()));
    histograms[1].observe(Duration::from_secs(60));
    for (slot, expected) in slots.iter().zip([0, 1, 0]) {
        assert_eq!(slot.read(HISTOGRAM_CELLS - 2), expected, "+Inf");
        assert_eq!(f64::from_bits(slot.read(HISTOGRAM_SUM)), 60.0 * expected as f64);
    }
    assert!(slots.iter().all(|slot| !slot.is_free()));
    drop(histograms);
    assert!(slots.iter().all(Slot::is_free));
}

/// So that no two workers share a cache line, whatever the allocator does.
#[test]
fn chunks_begin_and_end_on_pairs_of_cache_lines() {
    assert_eq!(align_of::<Chunk>() % 128, 0);
    assert_eq!(size_of::<Chunk>() % 128, 0);
}
