"""/etc/passwd and /etc/group of a box: bind-mounted, so that no account of the machine is needed."""

PASSWD = """root:x:0:0:root:/root:/bin/sh
daemon:x:1:1::/:/bin/false
app:x:1500:1600:The app:/home/app:/bin/sh
odd:x:1501:1601::relative:/bin/sh
broken line
1500000:x:1502:1602::/srv/digits:/bin/sh
"""
GROUP = """root:x:0:
app:x:1600:
web:x:1700:app,odd
media:x:1701:other,app
none:x:1702:
"""


def bind(directory):
    """The `binds` of a box."""
    passwd, group = directory / "passwd", directory / "group"
    passwd.write_text(PASSWD, encoding="ascii")
    group.write_text(GROUP, encoding="ascii")
    return {passwd: "/etc/passwd", group: "/etc/group"}
