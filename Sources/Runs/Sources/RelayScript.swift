import Telemetry

/// What the far side's shell is given to do: relay the file with what there is.
///
/// `seismo` first, then the client's Python, then the shell itself, which reads the growing file by
/// offset and has no hands. The words stand in single quotes for whatever shell the account has there,
/// so that the script holds none, and is one line.
enum RelayScript {
  /// The file was cut or replaced: what comes next is another one.
  static let replacedCode: Int32 = 75
  /// There is no such file, or it cannot be read.
  static let absentCode: Int32 = 66

  /// The command line that a remote shell takes.
  static func command(path: String, from offset: Int) -> String {
    "exec sh -c \(ShellWord.inQuotes(script)) seismo \(ShellWord.inQuotes(path)) \(offset)"
  }

  private static var script: String {
    ([begin, program, find, relay, reader].flatMap { $0 }).joined(separator: "; ")
  }

  private static let begin = [#"p=$1; o=$2"#, #"case "$p" in -*) p=./$p ;; esac"#]

  /// What is there and can be read `seismo` relays, whatever it is.
  private static let program = [
    #"if [ -r "$p" ] && command -v seismo >/dev/null 2>&1 && seismo relay --help >/dev/null 2>&1;"#
      + #" then exec seismo relay --from "$o" "$p"; fi"#
  ]

  /// A folder stands for the file in it that grew last.
  private static let find = [
    #"if [ -d "$p" ]; then n=$(ls -t "$p" | head -n 1); p=$p/$n; fi"#,
    #"case "$p" in *.seismo) echo "seismo: $1: a session is watched where it lies: ssh -t HOST"#
      + #" seismo watch" >&2; exit \#(absentCode) ;; esac"#,
    #"if [ ! -f "$p" ] || [ ! -r "$p" ]; then echo "seismo: $1: no such file, or not readable" >&2; exit \#(absentCode); fi"#,
  ]

  /// Relays of lines are not for records that have none. The interpreter that a run names is used only
  /// where the file is the account's own.
  private static let relay = [
    #"case "$p" in *.wandb|*tfevents*) r="a record of that kind has no hands" ;; *) r="neither seismo nor its Python client is there""#,
    #"y=; if [ -O "$p" ]; then y=$(head -c 65536 "$p""#
      + #" | sed -n "s/^{\"run\":.*\"python\": *\"\(\/[^\"]*\/python[0-9.]*\)\".*/\1/p" | head -n 1); fi"#,
    #"for c in "$y" python3 python; do if [ -n "$c" ] && command -v "$c" >/dev/null 2>&1"#
      + #" && "$c" -c "import seismo.relay" >/dev/null 2>&1; then exec "$c" -m seismo relay --from "$o" "$p"; fi; done ;; esac"#,
  ]

  /// Ends with its connection: what listens to it sees the end of its input.
  private static let reader = [
    #"number() { ls -diL "$p" | sed "s/^ *//;s/ .*//"; }"#,
    #"i=$(number); s=$(wc -c <"$p"); if [ "$o" -gt "$((s))" ]; then exit \#(replacedCode); fi"#,
    #"k=$((s)); if [ "$k" -gt 256 ]; then k=256; fi; start() { head -c "$k" "$p" | cksum; }; h=$(start)"#,
    #"printf "{\"relay\":{\"protocol\":1,\"offset\":%s,\"raw\":true,\"hands\":false,\"reason\":\"%s\"}}\n" "$o" "$r""#,
    #"exec 3<&0; ( cat <&3 >/dev/null 2>&1; kill $$ ) >/dev/null 2>&1 &"#
      + #" while s=$(wc -c <"$p"); do s=$((s)); if [ "$s" -lt "$o" ] || [ "$(number)" != "$i" ]; then exit \#(replacedCode); fi"#,
    #"if [ "$s" -gt "$o" ]; then if [ "$(start)" != "$h" ]; then exit \#(replacedCode); fi;"#
      + #" tail -c "+$((o+1))" "$p" | head -c "$((s-o))"; o=$s; else sleep 0.2 2>/dev/null || sleep 1; fi"#,
    #"done"#, #"exit \#(absentCode)"#,
  ]
}
