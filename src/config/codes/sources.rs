//! MC0200 and up: what can be wrong with files as files, with flags, and with names as names.

super::table! {
    FILE_UNREADABLE = 200 "a file that can't be read"
    => "correct the path, or let this user read the file"
"A file or directory is missing, or may not be read, or the disk gave an error. What it held before
keeps working, and it is tried again with every look at the files.

    meshctl check -f shop        # no such directory: is it the right one?

A file that is gone from a directory takes its objects with it; what `-f` itself names is expected
to be there, so its objects stay until the program is started without it.
";

    NOT_UTF8 = 201 "not text"
    => "save the file as UTF-8"
"Files are read as UTF-8, with or without a byte order mark. What the file held before keeps working.

Save it as UTF-8: `iconv -f UTF-16 -t UTF-8 old.yaml > new.yaml`, say.
";

    FILE_TOO_LARGE = 202 "a larger file than is read"
    => "split the file: every YAML file of a directory is read"
"A file may have 16 MiB; all files together 256 MiB; the values of one Secret or ConfigMap 1 MiB.
What the file held before keeps working.

Split it: every YAML file of a directory is read.
";

    TOO_MANY_FILES = 203 "more files than are read"
    => "name the directory that holds the configuration alone"
"One walk reads up to 20,000 files of configuration and meets up to 200,000 entries of any kind. The
rest is not read, and nothing that was known before is forgotten.

Is it the right directory? `-f /` walks the whole disk.
";

    FILE_EMPTY = 204 "a file became empty"
    => "remove the file to remove its objects"
"An editor, a full disk or a script that was stopped leaves an empty file, so what it held stays.

To remove the objects, remove the file, or leave a comment in it:

    # nothing here
";

    FROM_FILES = 205 "a file of an annotation can't be read"
    => "make the file readable, or correct the path in the annotation"
"The annotation `meshctl.dev/from-files` names files whose bytes are data of its Secret or ConfigMap:

    metadata:
      annotations:
        meshctl.dev/from-files: tls.crt=cert.pem,tls.key=/etc/ssl/private/key.pem

A relative path starts at the directory of the manifest. The file must be there, be readable and
within 1 MiB together with the object's other data. The object keeps its last good state.
";

    NOT_WATCHED = 206 "changes are seen late"
    => "raise `fs.inotify.max_user_watches`"
"The system gives no word of changes in some directory, so they are seen by looking every five
seconds. Often the limit of watches is used up:

    sysctl fs.inotify.max_user_watches=524288
    sysctl fs.inotify.max_user_instances=1024

Directories are watched as soon as the limit allows it, without a restart.
";

    FLAG_UNUSED = 210 "a flag that matches nothing"
    => "correct the flag, or leave it out"
"`--endpoint`, `--port` and `--class` change what a Service, a listener's port or a Gateway's class
means here. This one names none that the configuration has, so it changes nothing.

    meshctl check -f shop --endpoint cart=localhost:3000   # the Service is shop/cart
    meshctl check -f shop --port 80=8080                   # the listener has port 443

A Service outside of the namespace `default` is named with its own: `--endpoint shop/cart=…`.
";

    NAME_FAILED = 250 "a name that can't be resolved"
    => "correct the name, or see what `getent hosts NAME` says"
"The name of an endpoint has no address, or no name server answered. Addresses that were known
before stay in use; a backend of which none was ever known answers 503 with the cause `dns_failed`.
The name is asked for again after a second at first and half a minute at last.

    getent hosts NAME        # what the machine itself says
";

    NO_NAME_SERVER = 251 "no name server is known"
    => "write a `nameserver` line into /etc/resolv.conf and restart, or use addresses"
"/etc/resolv.conf is missing or names no server, so only names of /etc/hosts and `localhost` are
resolved.

    nameserver 192.0.2.53

Write it and restart, or use addresses in the place of names.
";

    NAME_REFUSED = 252 "a name that leads where no route may"
    => "let the name lead to a server, or ask the cluster's administrator"
"In a cluster the authors of routes are not the owners of the proxy, so a name may lead nowhere
where a written address may not: the proxy itself, the node's own link, the API server. Such
addresses are left out; a backend that has no other answers 500 with the cause
`backend_address_refused`.

    getent hosts NAME        # what the machine itself says
";
}
