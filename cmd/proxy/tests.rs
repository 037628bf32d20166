#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use clap::Parser;
use meshctl::config::address::bind;
use meshctl::config::flags::target;
use meshctl::config::quick::Quick;
use meshctl::model::AccessLogFormat;

use super::run::{Control, Mode, Observe, Options, Origin};
use super::*;
use crate::environment::Environment;
use crate::exit::Failure;
use crate::mesh::Source;

#[derive(Parser)]
struct Run {
    #[command(flatten)]
    args: run::Args,
}

#[derive(Parser)]
struct Drain {
    #[command(flatten)]
    args: drain::Args,
}

#[derive(Parser)]
struct Status {
    #[command(flatten)]
    args: status::Args,
}

fn environment() -> Environment {
    let set = |name: &str| match name {
        "XDG_RUNTIME_DIR" => Some("/run/user/7".into()),
        "MESHCTL_LOG" => Some("warn".into()),
        _ => None,
    };
    Environment { current_dir: "/srv".into(), ..Environment::from_variables(set) }
}

fn parse(line: &str) -> Result<Options, Failure> {
    let args = Run::try_parse_from(std::iter::once("run").chain(line.split_whitespace()))?.args;
    Options::new(args, &environment())
}

fn refused(line: &str) -> String {
    match parse(line) {
        Ok(options) => panic!("{line} gave {options:?}"),
        Err(Failure::CommandLine(error)) => error.render().to_string(),
        Err(Failure::Said { message, .. }) => message,
        Err(Failure::OutputClosed) => panic!("nothing was printed"),
    }
}

#[test]
fn what_nobody_says_has_its_default() {
    let options = parse("-f shop").unwrap();
    assert_eq!(options.origin, Origin::Here(Source::Files(vec!["shop".into()])));
    assert_eq!(options.mode, Mode::Gateway);
    assert_eq!(options.workers, None);
    assert_eq!(options.observe, Observe::At(([127, 0, 0, 1], 15020).into()));
    assert_eq!(options.control, Control::In("/run/user/7/meshctl".into()));
    assert_eq!(options.access_log, None);
    assert_eq!(options.drain_timeout, None);
    assert!(!options.takeover);
    assert_eq!(options.log, "warn");
}

#[test]
fn every_flag_arrives() {
    let options = parse(
        "--listen 127.0.0.1:80 --listen :81 --to localhost:3000=90 --to unix:/run/b.sock=10 --port 80=8080 \
         --endpoint shop/cart=localhost:1 --class istio --class nginx --workers 3 --observe off \
         --control run/c.sock --access-log text --drain-timeout 1m30s --mode gateway --takeover -vv",
    )
    .unwrap();
    let Origin::Here(Source::Quick(quick)) = &options.origin else { panic!("{options:?}") };
    let listen = [bind("127.0.0.1:80").unwrap(), bind(":81").unwrap()];
    let targets = [target("localhost:3000=90").unwrap(), target("unix:/run/b.sock=10").unwrap()];
    assert_eq!(Quick::new(&listen, &targets).as_ref(), Ok(quick));
    assert_eq!(options.overrides.classes, ["istio", "nginx"]);
    assert_eq!(options.overrides.ports.len(), 1);
    assert_eq!(&*options.overrides.endpoints[0].service, "cart");
    assert_eq!(options.workers.unwrap().get(), 3);
    assert_eq!(options.observe, Observe::Off);
    assert_eq!(options.control, Control::Socket("/srv/run/c.sock".into()));
    assert_eq!(options.access_log, Some(Some(AccessLogFormat::Text)));
    assert_eq!(options.drain_timeout.unwrap().as_secs(), 90);
    assert!(options.takeover);
    assert_eq!(options.log, "info,meshctl=trace");
    assert_eq!(parse("-f x --access-log off").unwrap().access_log, Some(None));
    assert_eq!(parse("-f x -q").unwrap().log, "error");
    let everywhere = parse("-f x --observe :9000").unwrap().observe;
    assert_eq!(everywhere, Observe::At("[::]:9000".parse().unwrap()));
}

#[test]
fn a_pod_serves_what_its_controller_says() {
    let line = "--controller https://controller.system.svc:15010 --controller-ca ca.crt \
                --token /var/run/token --state state";
    let args = Run::try_parse_from(std::iter::once("run").chain(line.split_whitespace()));
    let environment = Environment {
        pod_name: Some("web-1".to_owned()),
        pod_namespace: Some("shop".to_owned()),
        ..environment()
    };
    let options = Options::new(args.unwrap().args, &environment).unwrap();
    assert_eq!(options.control, Control::In("/run/user/7/meshctl".into()));
    let Origin::Controller(remote) = options.origin else { panic!("{:?}", options.origin) };
    assert_eq!(remote.url, "https://controller.system.svc:15010");
    assert_eq!(remote.ca, Path::new("/srv/ca.crt"));
    assert_eq!(remote.token, Path::new("/var/run/token"));
    assert_eq!(remote.state.as_deref(), Some(Path::new("/srv/state")));
    assert_eq!((&*remote.node.namespace, &*remote.node.name), ("shop", "web-1"));
}

#[test]
fn mistakes_are_named() {
    let check = |line: &str, part: &str| {
        let message = refused(line);
        assert!(message.contains(part), "{line}: {message} does not say {part}");
    };
    check("--listen :80", "--listen says nothing of where");
    check("-f x --listen :80", "-f and --listen");
    check("-f x --to localhost:1", "-f and --to");
    check("-f x --workers 0", "a number from 1 to 1024");
    check("-f x --workers 1025", "a number from 1 to 1024");
    check("-f x --observe localhost", "has no port");
    check("-f x --drain-timeout 30", "30s or 30m");
    check("-f x --access-log xml", "[possible values: json, text, off]");
    check("-f x --mode sidecar", "[possible values: gateway]");
    check("-f x -q -v", "cannot be used with");
    check("-f x --prot 80=81", "a similar argument exists: '--port'");
    check("--to localhost:1=x", "`x` is not a weight");
    check("--controller http://c:1 --controller-ca c --token t", "https://HOST:PORT");
    check("--controller https://c:1 --token t", "--controller-ca <FILE>");
    check("--controller https://c:1 --controller-ca c --token t -f x", "cannot be used with");
    check("--controller https://c:1 --controller-ca c --token t --port 1=2", "cannot be used with");
    check("-f x --state d", "--controller <URL>");
}

#[test]
fn a_proxy_is_named_by_process_socket_or_pod() {
    let pod = |namespace: Option<&str>, name: &str| {
        Ok(Proxy::Pod { namespace: namespace.map(str::to_owned), name: name.to_owned() })
    };
    let socket = |path: &str| Ok(Proxy::Socket(Path::new(path).into()));
    assert_eq!(proxy("17"), Ok(Proxy::Process(17)));
    assert_eq!(proxy("./17"), socket("./17"));
    assert_eq!(proxy("/run/x"), socket("/run/x"));
    assert_eq!(proxy("run/17.sock"), socket("run/17.sock"));
    assert_eq!(proxy("a/b/c"), socket("a/b/c"));
    assert_eq!(proxy("run/X"), socket("run/X"));
    assert_eq!(proxy("front-7d4b9c6f5-x2x7k"), pod(None, "front-7d4b9c6f5-x2x7k"));
    assert_eq!(proxy("shop/front-1"), pod(Some("shop"), "front-1"));
    assert!(proxy("0").is_err_and(|error| error.contains("./0")));
    assert!(proxy("-1").is_err());
    assert!(proxy("Front").is_err());
    let args = Drain::try_parse_from(["drain", "17", "--all"]);
    assert!(args.is_err(), "one and all contradict each other");
    let args = Drain::try_parse_from(["drain", "--wait"]).unwrap().args;
    assert_eq!((args.proxy, args.all, args.wait.wait), (None, false, true));
    assert_eq!(args.wait.timeout.as_secs(), 300);
}

#[test]
fn what_is_named_says_whether_a_cluster_is_asked() {
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = directory.path().join("kubeconfig");
    std::fs::write(&kubeconfig, "").unwrap();
    let alone = Environment {
        current_dir: directory.path().into(),
        run_dir: Some(directory.path().join("run")),
        ..Environment::from_variables(|_| None)
    };
    let with = Environment { kubeconfig: vec![kubeconfig], ..alone.clone() };
    let asks = |line: &str, environment: &Environment| {
        let args = Status::try_parse_from(std::iter::once("status").chain(line.split_whitespace()));
        let args = args.unwrap().args;
        let mut output = Output::new(environment);
        output.quiet(true);
        args.target.is_cluster(args.proxy.as_ref(), environment, &mut output).ok()
    };
    assert_eq!(asks("", &alone), Some(false));
    assert_eq!(asks("", &with), Some(true));
    for cluster in ["--context a", "-n shop", "-A", "shop/front-1", "front-1"] {
        assert_eq!(asks(cluster, &alone), Some(true), "{cluster}");
    }
    for machine in ["-f shop", "17", "./run.sock"] {
        assert_eq!(asks(machine, &with), Some(false), "{machine}");
        assert_eq!(asks(&format!("{machine} -A"), &with), None, "{machine}");
    }
    // A mesh that the command is given in wins over the kubeconfig.
    std::fs::create_dir(directory.path().join(".meshctl")).unwrap();
    assert_eq!(asks("", &with), Some(false));
    assert_eq!(asks("-A", &with), Some(true));
}
