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
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "demo" -d 'Show a dark launch, a bad canary that goes back and a good one, on this machine alone'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "init" -d 'Write a first configuration, to be edited'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "check" -d 'Find every mistake in a configuration'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "proxy" -d 'Serve traffic, and ask the proxies of this machine or of a cluster'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "canary" -d 'Move requests to a new version, step by step or by hand'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "dark-launch" -d 'Send copies of requests to a new version, and its answers to nobody'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "controller" -d 'The controller, inside a cluster'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "generate" -d 'Print objects to begin with, or a file for something else to read'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "convert" -d 'Convert Ingress and Istio objects to the Gateway API'
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
complete -c meshctl -n "__fish_meshctl_using_subcommand demo" -s h -l help -d 'Print help (see more with \'--help\')'
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
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and not __fish_seen_subcommand_from start run shift pause resume promote abort undo status history" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and not __fish_seen_subcommand_from start run shift pause resume promote abort undo status history" -f -a "start" -d 'Begin a canary'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and not __fish_seen_subcommand_from start run shift pause resume promote abort undo status history" -f -a "run" -d 'Advance a rollout of a directory until it is over'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and not __fish_seen_subcommand_from start run shift pause resume promote abort undo status history" -f -a "shift" -d 'Give the new version this share of the requests, and pause the steps'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and not __fish_seen_subcommand_from start run shift pause resume promote abort undo status history" -f -a "pause" -d 'Stay at this weight'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and not __fish_seen_subcommand_from start run shift pause resume promote abort undo status history" -f -a "resume" -d 'Go on at the next higher step'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and not __fish_seen_subcommand_from start run shift pause resume promote abort undo status history" -f -a "promote" -d 'Give the new version everything, now'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and not __fish_seen_subcommand_from start run shift pause resume promote abort undo status history" -f -a "abort" -d 'Give everything back to the stable version'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and not __fish_seen_subcommand_from start run shift pause resume promote abort undo status history" -f -a "undo" -d 'Take back the last change of weight, a finished promotion too'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and not __fish_seen_subcommand_from start run shift pause resume promote abort undo status history" -f -a "status" -d 'Show how far a rollout is: steps, weights, requests and errors of both versions'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and not __fish_seen_subcommand_from start run shift pause resume promote abort undo status history" -f -a "history" -d 'Tell who changed what, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from start" -l route -d 'Whose requests' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from start" -l stable -d 'What has them now [default: the route\'s only backend]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from start" -l canary -d 'What gets more and more of them: SERVICE[:PORT], a Backend, or an address, which gets one' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from start" -l rule -d 'Only this rule of the route' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from start" -l steps -d 'The percentages on the way, as in 1,5,25,50' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from start" -l interval -d 'How long each step is looked at' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from start" -l max-errors -d 'How many of the new version\'s requests may fail' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from start" -l max-p99 -d 'How long the slowest of a hundred requests may take, as in 500ms' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from start" -l min-requests -d 'How many requests a verdict needs' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from start" -l name -d 'What the rollout is called [default: as the route]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from start" -s f -l file -d 'The directory that is served [default: the nearest with .meshctl, then the cluster]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from start" -l context -d 'The context of the kubeconfig [default: the current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from start" -s n -l namespace -d 'The namespace [default: any that has the name; of a cluster, the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from start" -l detach -d 'Don\'t stay: something else advances it'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from start" -l dry-run -d 'Print what would be done, and do nothing'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from start" -s q -l quiet -d 'Print answers and errors, no notes'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from start" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -s f -l file -d 'The directory that is served [default: the nearest with .meshctl, then the cluster]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l context -d 'The context of the kubeconfig [default: the current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -s n -l namespace -d 'The namespace [default: any that has the name; of a cluster, the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l all -d 'All of them, until it is told to stop'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Print answers and errors, no notes'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -s f -l file -d 'The directory that is served [default: the nearest with .meshctl, then the cluster]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l context -d 'The context of the kubeconfig [default: the current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -s n -l namespace -d 'The namespace [default: any that has the name; of a cluster, the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l dry-run -d 'Print what would be done, and do nothing'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -s q -l quiet -d 'Print answers and errors, no notes'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -s h -l help -d 'Print help'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from pause" -s f -l file -d 'The directory that is served [default: the nearest with .meshctl, then the cluster]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from pause" -l context -d 'The context of the kubeconfig [default: the current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from pause" -s n -l namespace -d 'The namespace [default: any that has the name; of a cluster, the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from pause" -l dry-run -d 'Print what would be done, and do nothing'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from pause" -s q -l quiet -d 'Print answers and errors, no notes'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from pause" -s h -l help -d 'Print help'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -s f -l file -d 'The directory that is served [default: the nearest with .meshctl, then the cluster]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -l context -d 'The context of the kubeconfig [default: the current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -s n -l namespace -d 'The namespace [default: any that has the name; of a cluster, the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -l dry-run -d 'Print what would be done, and do nothing'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -s q -l quiet -d 'Print answers and errors, no notes'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -s h -l help -d 'Print help'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -s f -l file -d 'The directory that is served [default: the nearest with .meshctl, then the cluster]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -l context -d 'The context of the kubeconfig [default: the current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -s n -l namespace -d 'The namespace [default: any that has the name; of a cluster, the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -l dry-run -d 'Print what would be done, and do nothing'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -s q -l quiet -d 'Print answers and errors, no notes'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -l yes -d 'Don\'t ask'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from abort" -s f -l file -d 'The directory that is served [default: the nearest with .meshctl, then the cluster]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from abort" -l context -d 'The context of the kubeconfig [default: the current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from abort" -s n -l namespace -d 'The namespace [default: any that has the name; of a cluster, the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from abort" -l dry-run -d 'Print what would be done, and do nothing'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from abort" -s q -l quiet -d 'Print answers and errors, no notes'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from abort" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from undo" -s f -l file -d 'The directory that is served [default: the nearest with .meshctl, then the cluster]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from undo" -l context -d 'The context of the kubeconfig [default: the current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from undo" -s n -l namespace -d 'The namespace [default: any that has the name; of a cluster, the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from undo" -l dry-run -d 'Print what would be done, and do nothing'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from undo" -s q -l quiet -d 'Print answers and errors, no notes'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from undo" -s h -l help -d 'Print help'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -s f -l file -d 'The directory that is served [default: the nearest with .meshctl, then the cluster]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -l context -d 'The context of the kubeconfig [default: the current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -s n -l namespace -d 'The namespace [default: any that has the name; of a cluster, the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -s o -l output -d 'How to write the answer' -r -f -a "table\t''
wide\t'The table with every column'
json\t''
yaml\t''
name\t'Names alone, one per line'"
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -s w -l watch -d 'Stay, and show each change'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from history" -s f -l file -d 'The directory that is served [default: the nearest with .meshctl, then the cluster]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from history" -l context -d 'The context of the kubeconfig [default: the current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from history" -s n -l namespace -d 'The namespace [default: any that has the name; of a cluster, the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from history" -s o -l output -d 'How to write the answer' -r -f -a "table\t''
wide\t'The table with every column'
json\t''
yaml\t''
name\t'Names alone, one per line'"
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from history" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand dark-launch; and not __fish_seen_subcommand_from start status stop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand dark-launch; and not __fish_seen_subcommand_from start status stop" -f -a "start" -d 'Begin to copy requests'
complete -c meshctl -n "__fish_meshctl_using_subcommand dark-launch; and not __fish_seen_subcommand_from start status stop" -f -a "status" -d 'Show what the copies bring: requests, errors, how long they take'
complete -c meshctl -n "__fish_meshctl_using_subcommand dark-launch; and not __fish_seen_subcommand_from start status stop" -f -a "stop" -d 'Copy no more'
complete -c meshctl -n "__fish_meshctl_using_subcommand dark-launch; and __fish_seen_subcommand_from start" -l route -d 'Whose requests' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand dark-launch; and __fish_seen_subcommand_from start" -l to -d 'Where the copies go: SERVICE[:PORT], a Backend, or an address, which gets one' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand dark-launch; and __fish_seen_subcommand_from start" -l percent -d 'How many requests are copied' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand dark-launch; and __fish_seen_subcommand_from start" -l rule -d 'Only this rule of the route' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand dark-launch; and __fish_seen_subcommand_from start" -l name -d 'What it is called [default: as the route, with -dark]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand dark-launch; and __fish_seen_subcommand_from start" -s f -l file -d 'The directory that is served [default: the nearest with .meshctl, then the cluster]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand dark-launch; and __fish_seen_subcommand_from start" -l context -d 'The context of the kubeconfig [default: the current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand dark-launch; and __fish_seen_subcommand_from start" -s n -l namespace -d 'The namespace [default: any that has the name; of a cluster, the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand dark-launch; and __fish_seen_subcommand_from start" -l dry-run -d 'Print what would be done, and do nothing'
complete -c meshctl -n "__fish_meshctl_using_subcommand dark-launch; and __fish_seen_subcommand_from start" -s q -l quiet -d 'Print answers and errors, no notes'
complete -c meshctl -n "__fish_meshctl_using_subcommand dark-launch; and __fish_seen_subcommand_from start" -s h -l help -d 'Print help'
complete -c meshctl -n "__fish_meshctl_using_subcommand dark-launch; and __fish_seen_subcommand_from status" -s f -l file -d 'The directory that is served [default: the nearest with .meshctl, then the cluster]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand dark-launch; and __fish_seen_subcommand_from status" -l context -d 'The context of the kubeconfig [default: the current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand dark-launch; and __fish_seen_subcommand_from status" -s n -l namespace -d 'The namespace [default: any that has the name; of a cluster, the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand dark-launch; and __fish_seen_subcommand_from status" -s o -l output -d 'How to write the answer' -r -f -a "table\t''
wide\t'The table with every column'
json\t''
yaml\t''
name\t'Names alone, one per line'"
complete -c meshctl -n "__fish_meshctl_using_subcommand dark-launch; and __fish_seen_subcommand_from status" -s w -l watch -d 'Stay, and show each change'
complete -c meshctl -n "__fish_meshctl_using_subcommand dark-launch; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand dark-launch; and __fish_seen_subcommand_from stop" -s f -l file -d 'The directory that is served [default: the nearest with .meshctl, then the cluster]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand dark-launch; and __fish_seen_subcommand_from stop" -l context -d 'The context of the kubeconfig [default: the current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand dark-launch; and __fish_seen_subcommand_from stop" -s n -l namespace -d 'The namespace [default: any that has the name; of a cluster, the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand dark-launch; and __fish_seen_subcommand_from stop" -l dry-run -d 'Print what would be done, and do nothing'
complete -c meshctl -n "__fish_meshctl_using_subcommand dark-launch; and __fish_seen_subcommand_from stop" -s q -l quiet -d 'Print answers and errors, no notes'
complete -c meshctl -n "__fish_meshctl_using_subcommand dark-launch; and __fish_seen_subcommand_from stop" -s h -l help -d 'Print help'
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
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and not __fish_seen_subcommand_from gateway route backend ambassador canary dark-launch systemd" -s h -l help -d 'Print help'
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and not __fish_seen_subcommand_from gateway route backend ambassador canary dark-launch systemd" -f -a "gateway" -d 'Print a Gateway'
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and not __fish_seen_subcommand_from gateway route backend ambassador canary dark-launch systemd" -f -a "route" -d 'Print a route from a Gateway to Services and Backends'
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and not __fish_seen_subcommand_from gateway route backend ambassador canary dark-launch systemd" -f -a "backend" -d 'Print a Backend: a service that Kubernetes doesn\'t know'
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and not __fish_seen_subcommand_from gateway route backend ambassador canary dark-launch systemd" -f -a "ambassador" -d 'Print a service outside as a port of this machine'
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and not __fish_seen_subcommand_from gateway route backend ambassador canary dark-launch systemd" -f -a "canary" -d 'Print the plan of a canary, and with --from all that it needs'
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and not __fish_seen_subcommand_from gateway route backend ambassador canary dark-launch systemd" -f -a "dark-launch" -d 'Print a dark launch: copies of requests go to a new version, its answers to nobody'
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and not __fish_seen_subcommand_from gateway route backend ambassador canary dark-launch systemd" -f -a "systemd" -d 'Print a hardened systemd unit for a proxy'
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from gateway" -l listen -d 'A port, or HTTPS:PORT; may be given several times' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from gateway" -l hostname -d 'Answer for this name, *.example.com for all below it; may be given several times' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from gateway" -l cert -d 'The Secret with the certificate of HTTPS; may be given several times' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from gateway" -l class -d 'The GatewayClass' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from gateway" -s n -l namespace -d 'The namespace that is written into the objects' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from gateway" -l templates -d 'Fill in templates of your own: DIR/KIND.yaml' -r -f -a "(__fish_complete_directories)"
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from gateway" -s o -l output -d 'How to write the answer' -r -f -a "yaml\t''
json\t'One object, or a List of them'
name\t'KIND/NAME, one per line'"
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from gateway" -s q -l quiet -d 'Print answers and errors, no notes'
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from gateway" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from route" -l gateway -d 'Whose requests; may be given several times' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from route" -l hostname -d 'Requests to this name [default: to any]; may be given several times' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from route" -l path -d 'Requests to this path and below it [default: all]; may be given several times' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from route" -l to -d 'Where they go, SERVICE:PORT or Backend/NAME, with a weight if there are several; may be given several times' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from route" -l kind -d 'What the requests are' -r -f -a "http\t''
grpc\t''"
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from route" -s n -l namespace -d 'The namespace that is written into the objects' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from route" -l templates -d 'Fill in templates of your own: DIR/KIND.yaml' -r -f -a "(__fish_complete_directories)"
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from route" -s o -l output -d 'How to write the answer' -r -f -a "yaml\t''
json\t'One object, or a List of them'
name\t'KIND/NAME, one per line'"
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from route" -s q -l quiet -d 'Print answers and errors, no notes'
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from route" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from backend" -l endpoint -d 'HOST:PORT, [::1]:PORT or unix:/path; may be given several times' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from backend" -s n -l namespace -d 'The namespace that is written into the objects' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from backend" -l templates -d 'Fill in templates of your own: DIR/KIND.yaml' -r -f -a "(__fish_complete_directories)"
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from backend" -s o -l output -d 'How to write the answer' -r -f -a "yaml\t''
json\t'One object, or a List of them'
name\t'KIND/NAME, one per line'"
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from backend" -l tls -d 'Speak TLS, and trust what the system trusts'
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from backend" -s q -l quiet -d 'Print answers and errors, no notes'
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from backend" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from ambassador" -l to -d 'Where the service is; several addresses are endpoints of one service' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from ambassador" -l local-port -d 'The port of 127.0.0.1 that the application calls' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from ambassador" -s n -l namespace -d 'The namespace that is written into the objects' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from ambassador" -l templates -d 'Fill in templates of your own: DIR/KIND.yaml' -r -f -a "(__fish_complete_directories)"
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from ambassador" -s o -l output -d 'How to write the answer' -r -f -a "yaml\t''
json\t'One object, or a List of them'
name\t'KIND/NAME, one per line'"
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from ambassador" -l tls -d 'Speak TLS, and trust what the system trusts'
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from ambassador" -s q -l quiet -d 'Print answers and errors, no notes'
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from ambassador" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from canary" -l route -d 'Whose requests [default with --from: what stands there, or the stable Service\'s name]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from canary" -l kind -d 'What the route is' -r -f -a "http\t''
grpc\t''"
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from canary" -l stable -d 'What has all requests now, SERVICE:PORT or Backend/NAME' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from canary" -l canary -d 'What gets more and more of them' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from canary" -l steps -d 'The percentages on the way' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from canary" -l interval -d 'The time between two steps' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from canary" -l error-rate -d 'How many requests may fail, as a percentage' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from canary" -l p99 -d 'How long the slowest of a hundred requests may take, as in 500ms' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from canary" -l min-requests -d 'How many requests a verdict needs' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from canary" -l from -d 'The manifests of what runs, or - for standard input' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from canary" -l image -d 'What the second version runs' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from canary" -l container -d 'The container whose image it is, where there are several' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from canary" -l gateway -d 'The Gateway of the route, where --from has no route; may be given several times' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from canary" -l hostname -d 'The hostname of that route; may be given several times' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from canary" -s n -l namespace -d 'The namespace that is written into the objects' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from canary" -l templates -d 'Fill in templates of your own: DIR/KIND.yaml' -r -f -a "(__fish_complete_directories)"
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from canary" -s o -l output -d 'How to write the answer' -r -f -a "yaml\t''
json\t'One object, or a List of them'
name\t'KIND/NAME, one per line'"
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from canary" -s q -l quiet -d 'Print answers and errors, no notes'
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from canary" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from dark-launch" -l route -d 'Whose requests' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from dark-launch" -l kind -d 'What the route is' -r -f -a "http\t''
grpc\t''"
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from dark-launch" -l to -d 'Where the copies go, SERVICE:PORT or Backend/NAME' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from dark-launch" -l percent -d 'How many requests are copied' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from dark-launch" -s n -l namespace -d 'The namespace that is written into the objects' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from dark-launch" -l templates -d 'Fill in templates of your own: DIR/KIND.yaml' -r -f -a "(__fish_complete_directories)"
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from dark-launch" -s o -l output -d 'How to write the answer' -r -f -a "yaml\t''
json\t'One object, or a List of them'
name\t'KIND/NAME, one per line'"
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from dark-launch" -s q -l quiet -d 'Print answers and errors, no notes'
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from dark-launch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from systemd" -s f -l file -d 'What the proxy serves; may be given several times' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from systemd" -l program -d 'The binary [default: this one]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from systemd" -l user -d 'Run as this user [default: one that exists only while the service runs]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from systemd" -l drain-timeout -d 'How long open requests may take to end when the service stops [default: 30s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand generate; and __fish_seen_subcommand_from systemd" -s h -l help -d 'Print help'
complete -c meshctl -n "__fish_meshctl_using_subcommand convert" -s f -l file -d 'A file or directory of YAML, or - for standard input; may be given several times' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand convert" -s n -l namespace -d 'Where the Gateway of Ingresses stands [default: beside them]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand convert" -l class -d 'The GatewayClass of the Gateways that are written' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand convert" -s o -l output -d 'How to write the answer' -r -f -a "yaml\t''
json\t'One object, or a List of them'
name\t'KIND/NAME, one per line'"
complete -c meshctl -n "__fish_meshctl_using_subcommand convert" -l unprotected -d 'Write routes that lost a protection, too'
complete -c meshctl -n "__fish_meshctl_using_subcommand convert" -s q -l quiet -d 'Print answers and errors, no notes'
complete -c meshctl -n "__fish_meshctl_using_subcommand convert" -s h -l help -d 'Print help (see more with \'--help\')'
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
