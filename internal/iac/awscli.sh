umask 077
AWS_PAGER=
export AWS_PAGER

say() { printf '%s\n' "$*"; }

refuse() {
	say "replimend: $*" >&2
	exit 1
}

for tool in aws python3; do
	command -v "$tool" >/dev/null || refuse "$tool is not there"
done
mkdir -p "$folder"
# Who can write into it can change a document after its comparison.
open=$(find "$folder" -prune \( ! -type d -o ! -user "$(id -u)" -o -perm -020 -o -perm -002 \) -print)
[ -z "$open" ] || refuse "$folder is a folder that others can write into: run this in one of your own"

# live N CODE COMMAND: what the command prints. CODE is the error that says that there is no document; it makes an empty file.
live() {
	live_file=$folder/$1.live.json live_code=$2
	shift 2
	if "$@" >"$live_file" 2>"$folder/error"; then
		[ -s "$live_file" ] || refuse "$2 $3 printed nothing"
	elif grep -qF "($live_code)" "$folder/error"; then
		: >"$live_file"
	else
		cat "$folder/error" >&2
		refuse "$2 $3 does not say what is there"
	fi
}

# same FILE FILE: both are empty, or both hold the same JSON in whatever order of members.
same() {
	if [ ! -s "$1" ] || [ ! -s "$2" ]; then
		[ ! -s "$1" ] && [ ! -s "$2" ]
		return
	fi
	python3 -I -c '
import json, sys
one, other = (json.dumps(json.load(open(name, encoding="utf-8")), sort_keys=True) for name in sys.argv[1:])
sys.exit(one != other)' "$1" "$2"
}

# compare N WHAT: the live document is the one that the plan was made from, which is kept, or what the plan makes of it.
pending=
compare() {
	if same "$folder/$1.live.json" "$folder/$1.expected.json"; then
		cp "$folder/$1.live.json" "$folder/$1.before.json"
		pending="$pending $1 "
	elif same "$folder/$1.live.json" "$folder/$1.after.json"; then
		say "already there: $2"
	else
		refuse "$2 has changed since the plan was made: nothing is written; make the plan anew"
	fi
}

is_pending() {
	case $pending in *" $1 "*) ;; *) return 1 ;; esac
}
