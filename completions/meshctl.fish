# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_meshctl_global_optspecs
    string join \n h/help V/version
end

function __fish_meshctl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_meshctl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_meshctl_using_subcommand
    set -l cmd (__fish_meshctl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c meshctl -n "__fish_meshctl_needs_command" -s h -l help -d 'Print help'
complete -c meshctl -n "__fish_meshctl_needs_command" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "demo" -d 'Show two versions of a service, a gateway and a canary, on this machine alone'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "init" -d 'Write a first configuration, to be edited'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "check" -d 'Find every mistake in a configuration'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "proxy" -d 'Serve traffic, and ask the proxies of this machine or of a cluster'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "controller" -d 'The controller, inside a cluster'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "generate" -d 'Print a file for something else to read'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "image" -d 'This program as a container image'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "install" -d 'Install the controller into a cluster'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "upgrade" -d 'Bring the controller of a cluster to this version'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "uninstall" -d 'Remove the controller, its proxies and our own kinds from a cluster'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "completions" -d 'Print the completions of a shell'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "version" -d 'Print the version, the commit it was built from, and what it speaks'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "explain" -d 'Say what a diagnostic or the cause of a failed request means, and what to do'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "help" -d 'Explain a topic or a command'
complete -c meshctl -n "__fish_meshctl_using_subcommand demo" -l seconds -d 'How long traffic is shifted [default: 60, headless 20]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand demo" -l port -d 'The gateway\'s port [default: a free one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand demo" -l dir -d 'Where its files are written [default: a directory that is removed at the end]' -r -f -a "(__fish_complete_directories)"
complete -c meshctl -n "__fish_meshctl_using_subcommand demo" -l headless -d 'No live view: run, print a table, and end'
complete -c meshctl -n "__fish_meshctl_using_subcommand demo" -s h -l help -d 'Print help'
complete -c meshctl -n "__fish_meshctl_using_subcommand init" -l listen -d 'Where to listen: :8080, 127.0.0.1:8080 or [::1]:8080; may be given several times [default with --to: :8080]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand init" -l to -d 'Where requests go, HOST:PORT or unix:/path, with a weight if there are several; may be given several times' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand init" -l example -d 'Write this example' -r -f -a "canary\t'10 % of the requests go to a second version'
hosts\t'two hosts and a path, a redirect, a header for the backend'
mirror\t'a second version sees copies of requests, and its answers are thrown away'"
complete -c meshctl -n "__fish_meshctl_using_subcommand init" -l force -d 'Overwrite what is there'
complete -c meshctl -n "__fish_meshctl_using_subcommand init" -l dry-run -d 'Print what would be done, and do nothing'
complete -c meshctl -n "__fish_meshctl_using_subcommand init" -s q -l quiet -d 'Print answers and errors, no notes'
complete -c meshctl -n "__fish_meshctl_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand check" -s f -l file -d 'A file or directory of YAML, or - for standard input; may be given several times' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand check" -l context -d 'The context of the kubeconfig [default: the current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand check" -l endpoint -d 'Give a Service this endpoint here, instead of those of its EndpointSlices; may be given several times' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand check" -l port -d 'Open this port where a listener says another: 80=8080; may be given several times' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand check" -l class -d 'Serve Gateways of this GatewayClass too; may be given several times' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand check" -s o -l output -d 'How to write the answer' -r -f -a "table\t''
wide\t'The table with every column'
json\t''
yaml\t''
name\t'Names alone, one per line'"
complete -c meshctl -n "__fish_meshctl_using_subcommand check" -l strict -d 'A warning is an error'
complete -c meshctl -n "__fish_meshctl_using_subcommand check" -s q -l quiet -d 'Print answers and errors, no notes'
complete -c meshctl -n "__fish_meshctl_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and not __fish_seen_subcommand_from run status config drain" -s h -l help -d 'Print help'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and not __fish_seen_subcommand_from run status config drain" -f -a "run" -d 'Serve traffic as Gateway API files say'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and not __fish_seen_subcommand_from run status config drain" -f -a "status" -d 'Show the proxies of this machine or of a cluster, and how far each is'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and not __fish_seen_subcommand_from run status config drain" -f -a "config" -d 'Show the configuration as a proxy believes it, secrets masked'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and not __fish_seen_subcommand_from run status config drain" -f -a "drain" -d 'Let a proxy finish what it has, take nothing new, and end'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from run" -s f -l file -d 'A file or directory of YAML, or - for standard input; may be given several times' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from run" -l listen -d 'Where to listen: :8080, 127.0.0.1:8080 or [::1]:8080; may be given several times [default with --to: :8080]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from run" -l to -d 'Where requests go, HOST:PORT or unix:/path, with a weight if there are several; may be given several times' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from run" -l endpoint -d 'Give a Service this endpoint here, instead of those of its EndpointSlices; may be given several times' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from run" -l port -d 'Open this port where a listener says another: 80=8080; may be given several times' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from run" -l class -d 'Serve Gateways of this GatewayClass too; may be given several times' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from run" -l controller -d 'Serve what this controller says: https://HOST:PORT' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from run" -l controller-ca -d 'Who signs the controller\'s certificate, as PEM' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from run" -l token -d 'The token that is shown to the controller; read again at each connection' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from run" -l state -d 'Where to save what the controller says, so that a restart doesn\'t wait for it' -r -f -a "(__fish_complete_directories)"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from run" -l mode -d 'What kind of proxy' -r -f -a "gateway\t''"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from run" -l workers -d 'Threads that serve [default: the CPUs that this process may use]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from run" -l observe -d 'Where /live, /ready and /metrics are answered, or off [default: 127.0.0.1:15020]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from run" -l control -d 'The control socket [default: in .meshctl/run, $XDG_RUNTIME_DIR/meshctl, /tmp/meshctl-UID or, for root, /run/meshctl]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from run" -l access-log -d 'How each request is logged [default: as the MeshConfig says]' -r -f -a "json\t''
text\t''
off\t''"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from run" -l drain-timeout -d 'How long open requests may take to end after SIGTERM [default: 30s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from run" -l takeover -d 'Take the listening sockets of the proxy that runs here, which then drains'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Log errors alone'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from run" -s v -l verbose -d 'Log more: -v for what is decided, -vv for what is seen'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from status" -s f -l file -d 'Only proxies that serve this file or directory' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from status" -l context -d 'The context of the kubeconfig [default: the current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from status" -s n -l namespace -d 'Only this namespace of the cluster' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from status" -s o -l output -d 'How to write the answer' -r -f -a "table\t''
wide\t'The table with every column'
json\t''
yaml\t''
name\t'Names alone, one per line'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from status" -s A -l all-namespaces -d 'Every namespace of the cluster'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from config" -s f -l file -d 'Only proxies that serve this file or directory' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from config" -l context -d 'The context of the kubeconfig [default: the current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from config" -s n -l namespace -d 'Only this namespace of the cluster' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from config" -s o -l output -d 'How to write it' -r -f -a "json\t''
yaml\t''"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from config" -s A -l all-namespaces -d 'Every namespace of the cluster'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from config" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from drain" -s f -l file -d 'Only proxies that serve this file or directory' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from drain" -l timeout -d 'How long to wait; exit code 3 when it is over' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from drain" -l all -d 'Every proxy of this machine; with -f, every one that serves that'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from drain" -l wait -d 'Return once it is done'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy; and __fish_seen_subcommand_from drain" -s h -l help -d 'Print help'
complete -c meshctl -n "__fish_meshctl_using_subcommand controller; and not __fish_seen_subcommand_from run status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand controller; and not __fish_seen_subcommand_from run status" -f -a "run" -d 'Watch the API server, configure proxies and answer in statuses'
complete -c meshctl -n "__fish_meshctl_using_subcommand controller; and not __fish_seen_subcommand_from run status" -f -a "status" -d 'Show what the controller of this pod knows of itself and its proxies'
complete -c meshctl -n "__fish_meshctl_using_subcommand controller; and __fish_seen_subcommand_from run" -l image -d 'What the proxies run' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand controller; and __fish_seen_subcommand_from run" -l image-pull-secret -d 'With what the proxies\' image is pulled: a Secret in the namespace of each Gateway' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand controller; and __fish_seen_subcommand_from run" -l listen -d 'Where proxies come for their configuration' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand controller; and __fish_seen_subcommand_from run" -l observe -d 'Where /live, /ready and /metrics are answered' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand controller; and __fish_seen_subcommand_from run" -l allow-local-backends -d 'Allow Backends on loopback and link-local addresses, Unix sockets and the API server'
complete -c meshctl -n "__fish_meshctl_using_subcommand controller; and __fish_seen_subcommand_from run" -l allow-external-names -d 'Allow ExternalName Services as backends: they name any host, other namespaces\' too'
complete -c meshctl -n "__fish_meshctl_using_subcommand controller; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Log errors alone'
complete -c meshctl -n "__fish_meshctl_using_subcommand controller; and __fish_seen_subcommand_from run" -s v -l verbose -d 'Log more: -v for what is decided, -vv for what is seen'
complete -c meshctl -n "__fish_meshctl_using_subcommand controller; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand controller; and __fish_seen_subcommand_from status" -s o -l output -d 'How to write the answer' -r -f -a "table\t''
wide\t'The table with every column'
json\t''
yaml\t''
name\t'Names alone, one per line'"
complete -c meshctl -n "__fish_meshctl_using_subcommand controller; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and not __fish_seen_subcommand_from systemd" -s h -l help -d 'Print help'
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and not __fish_seen_subcommand_from systemd" -f -a "systemd" -d 'Print a hardened systemd unit for a proxy'
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from systemd" -s f -l file -d 'What the proxy serves; may be given several times' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from systemd" -l program -d 'The binary [default: this one]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from systemd" -l user -d 'Run as this user [default: one that exists only while the service runs]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from systemd" -l drain-timeout -d 'How long open requests may take to end when the service stops [default: 30s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from systemd" -s h -l help -d 'Print help'
complete -c meshctl -n "__fish_meshctl_using_subcommand image; and not __fish_seen_subcommand_from save" -s h -l help -d 'Print help'
complete -c meshctl -n "__fish_meshctl_using_subcommand image; and not __fish_seen_subcommand_from save" -f -a "save" -d 'Write this program as an image that containerd, Podman and Docker load'
complete -c meshctl -n "__fish_meshctl_using_subcommand image; and __fish_seen_subcommand_from save" -s o -l output -d 'Where to write the archive [default: standard output]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand image; and __fish_seen_subcommand_from save" -l tag -d 'What the image is called [default: meshctl:VERSION]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand image; and __fish_seen_subcommand_from save" -l ca-bundle -d 'CA certificates (PEM) for backends that are checked against `wellKnownCACertificates: System`' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand image; and __fish_seen_subcommand_from save" -l allow-dynamic -d 'Take this binary even if it needs libraries, which the image doesn\'t hold'
complete -c meshctl -n "__fish_meshctl_using_subcommand image; and __fish_seen_subcommand_from save" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l context -d 'The context of the kubeconfig [default: the current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l timeout -d 'How long to wait; exit code 3 when it is over' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l image -d 'What the controller and the proxies run [default: meshctl:VERSION, as `image save` calls it]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l image-pull-secret -d 'The Secret that the image is pulled with, in each namespace that needs it' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l crds -d 'Definitions of the Gateway API to bring where they are missing or older: standard, experimental, none, or a file or directory [default: standard ones for what is missing]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l replicas -d 'Copies of the controller' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l service-type -d 'How Gateways are reached that don\'t say it themselves' -r -f -a "LoadBalancer\t''
ClusterIP\t''
NodePort\t''"
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l dry-run -d 'Print what would be done, and do nothing'
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l wait -d 'Return once it is done'
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -s q -l quiet -d 'Print answers and errors, no notes'
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -l context -d 'The context of the kubeconfig [default: the current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -l timeout -d 'How long to wait; exit code 3 when it is over' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -l image -d 'What the controller and the proxies run [default: meshctl:VERSION, as `image save` calls it]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -l image-pull-secret -d 'The Secret that the image is pulled with, in each namespace that needs it' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -l crds -d 'Definitions of the Gateway API to bring where they are missing or older: standard, experimental, none, or a file or directory [default: standard ones for what is missing]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -l plan -d 'Print what would change and what restarts, and do nothing'
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -l wait -d 'Return once it is done'
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -s q -l quiet -d 'Print answers and errors, no notes'
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand uninstall" -l context -d 'The context of the kubeconfig [default: the current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand uninstall" -l dry-run -d 'Print what would be done, and do nothing'
complete -c meshctl -n "__fish_meshctl_using_subcommand uninstall" -l yes -d 'Don\'t ask'
complete -c meshctl -n "__fish_meshctl_using_subcommand uninstall" -s q -l quiet -d 'Print answers and errors, no notes'
complete -c meshctl -n "__fish_meshctl_using_subcommand uninstall" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand version" -l context -d 'The context of the kubeconfig [default: the current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand version" -s o -l output -d 'How to write the answer' -r -f -a "table\t''
wide\t'The table with every column'
json\t''
yaml\t''
name\t'Names alone, one per line'"
complete -c meshctl -n "__fish_meshctl_using_subcommand version" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand explain" -s o -l output -d 'How to write the answer' -r -f -a "table\t''
wide\t'The table with every column'
json\t''
yaml\t''
name\t'Names alone, one per line'"
complete -c meshctl -n "__fish_meshctl_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand help" -s h -l help -d 'Print help'
