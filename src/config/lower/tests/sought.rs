//! What is said of references that lead nowhere.

use super::build::*;
use super::*;
use crate::config::index::Content;
use crate::config::raw::Reference;

fn file() -> Arc<str> {
    "objects.yaml".into()
}

#[test]
fn a_broken_object_is_not_said_to_be_missing() {
    let web = gateway("web", vec![https("web", 443, &["s"])]);
    let route = route("web", "web", vec![to_service("shop", 80)]);
    let mut world = World::of([web.clone(), route.clone()]);
    let missing = [codes::REFERENCE_MISSING, codes::REFERENCE_MISSING];
    world.codes(&missing);
    let mut check = |broken: &[&Object], expected: &[Code]| {
        let keys = broken.iter().map(|object| Content::Broken(object.key.clone()));
        world.index.replace(&file(), keys.collect(), Vec::new());
        world.commit();
        world.codes(expected);
        assert_eq!(world.last.counters.units_run, 0, "nothing is lowered again to be silent");
    };
    let (shop, tls) = (service("shop", 80), tls_secret("s"));
    check(&[&shop, &tls], &[]);
    check(&[&shop], &missing[..1]);
    check(&[], &missing);
    check(&[&tls, &tls], &missing[..1]);
    world.index.remove(&file());
    world.commit();
    world.codes(&missing);

    // In the place of a Gateway, a ListenerSet's Gateway, and a policy's target.
    let set = listener_set("more", "web", vec![listener("a", 81)]);
    let policy = traffic_policy("p", to_service("shop", 80)).set(|_| {});
    let mut world = World::of([route, set, policy]);
    world.codes(&[
        codes::LISTENER_SET_REFUSED,
        codes::PARENT_MISSING,
        codes::POLICY_TARGET,
        codes::REFERENCE_MISSING,
    ]);
    let broken = vec![Content::Broken(web.key.clone()), Content::Broken(shop.key)];
    world.index.replace(&file(), broken, Vec::new());
    world.commit();
    world.codes(&[]);
}

#[test]
fn what_may_have_been_meant_is_named() {
    let check = |reference: Reference, others: &[Object], says: &str| {
        let mut objects = shop_with(route("web", "web", vec![reference]));
        objects.extend(others.iter().cloned());
        World::of(objects).codes(&[codes::REFERENCE_MISSING]).says(says);
    };
    let nothing = codes::help(codes::REFERENCE_MISSING);
    check(to_service("cart", 80), &[], nothing);
    check(to_service("cart", 80), &[service("card", 80)], "did you mean `card`?");
    check(to_service("cart", 80), &[service("payments", 80)], nothing);
    check(to_service("cart", 80), &[service("card", 80).within("shop")], nothing);
    let other = service("cart", 80).within("shop");
    check(to_service("cart", 80), &[other], "write `namespace: shop`");
    check(to_service("cart", 80), &[backend("cart", &["a:1"])], "write `group: meshctl.dev`");
    check(to_backend("cart"), &[service("cart", 80)], "leave out `group` and `kind`");
}

#[test]
fn hints_are_bounded() {
    let many = limits::HINTS + 5;
    let routes = (0..many).map(|at| route(&format!("r{at}"), "wbe", Vec::new()));
    let world = World::of(routes.chain([gateway("web", vec![listener("http", 80)])]));
    let hints = world.last.diagnostics.iter().filter(|one| one.help.contains("`web`")).count();
    assert_eq!(hints, limits::HINTS);
}
