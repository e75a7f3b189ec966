"""What the embedded scanner knows, as YARA rules of our own.

Few and narrow: a rule that strikes a good file costs its owner the file. So there is none for
programs as such (archives of software are stored like any other), and none for scripts that hide
in pictures (harmless as long as they are served as what they claim to be, which `delivery` sees
to). Whoever needs the names of known malware runs clamd beside.

A rule's name with dots for underscores is the signature that is reported. The sets are apart since
words such as "Shell" cost three quarters of the speed, and only few files need looking through for
them.
"""

from __future__ import annotations

import yara_x

# For every window of everything. The backslash in the test string is doubled, and so this file is
# not a test file itself.
_ANYWHERE = r"""
// The anti-malware test file of eicar.org. By its definition only at the beginning of a file;
// here anywhere, since it stands for whatever a scanner must find behind a picture.
rule Test_Eicar {
    strings:
        $text = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    condition:
        $text
}
"""

# For every window of what begins as a JPEG, PNG or GIF.
PICTURE_MARKS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8")
_PICTURES = r"""
// A program glued to the last byte of a picture, which is how droppers carry their load past
// filters. The two letters MZ alone are chance; with the header that they point to they are not.
rule Picture_CarriesProgram {
    strings:
        $windows_jpeg = { FF D9 4D 5A }
        $windows_png = { 49 45 4E 44 AE 42 60 82 4D 5A }
        $windows_gif = { 00 3B 4D 5A }
        $linux = { ( FF D9 | AE 42 60 82 | 00 3B ) 7F 45 4C 46 ( 01 | 02 ) ( 01 | 02 ) 01 }
        $apple = {
            ( FF D9 | AE 42 60 82 | 00 3B ) ( CE | CF ) FA ED FE ( 07 | 0C ) 00 00 ( 00 | 01 )
        }
    condition:
        $linux or $apple
        or for any i in (1..#windows_jpeg) : (
            uint32(@windows_jpeg[i] + 2 + uint32(@windows_jpeg[i] + 2 + 60)) == 0x4550)
        or for any i in (1..#windows_png) : (
            uint32(@windows_png[i] + 8 + uint32(@windows_png[i] + 8 + 60)) == 0x4550)
        or for any i in (1..#windows_gif) : (
            uint32(@windows_gif[i] + 2 + uint32(@windows_gif[i] + 2 + 60)) == 0x4550)
}
"""

# For the first window of what begins as an OLE file, macro source, a shortcut or an RTF.
DOCUMENT_MARKS = (b"\xd0\xcf\x11\xe0", b"Attribute VB_", b"L\0\0\0", b"{\\rt")
_DOCUMENTS = r"""
// A macro that runs by itself when the document is opened, and starts programs. Seen in the names
// that the compiler leaves in the project, or in the unpacked source (see `macros`).
rule Office_MacroRunsProgram {
    strings:
        $ole = { D0 CF 11 E0 A1 B1 1A E1 }
        $project = "_VBA_PROJECT" wide
        $source = "Attribute VB_"
        $opens1 = /auto_?open/ nocase fullword
        $opens2 = "AutoExec" nocase fullword
        $opens3 = "Document_Open" nocase fullword
        $opens4 = "Workbook_Open" nocase fullword
        $runs1 = "Shell" nocase fullword
        $runs2 = "ShellExecute" nocase
        $runs3 = "powershell" nocase
        $runs4 = "WScript.Shell" nocase
        $runs5 = "URLDownloadToFile" nocase
    condition:
        ($ole at 0 and $project or $source at 0)
        and any of ($opens*) and any of ($runs*)
}

// A Windows shortcut that hides a command which fetches or decodes the rest.
rule Shortcut_RunsScript {
    strings:
        $shortcut = { 4C 00 00 00 01 14 02 00 00 00 00 00 C0 00 00 00 00 00 00 46 }
        $runs1 = "powershell" ascii wide nocase
        $runs2 = "mshta" ascii wide nocase
        $runs3 = "wscript" ascii wide nocase
        $fetches1 = "http:" ascii wide nocase
        $fetches2 = "https:" ascii wide nocase
        $fetches3 = "FromBase64String" ascii wide nocase
        $fetches4 = / -e(c|nc|ncodedcommand)? [a-z0-9+\/]{40}/ ascii wide nocase
    condition:
        $shortcut at 0 and any of ($runs*) and any of ($fetches*)
}

// An object of the old equation editor that loads by itself (CVE-2017-11882): no word processor
// writes the two together, every kit for it does.
rule Rtf_EquationExploit {
    strings:
        $rtf = "{\\rt"
        $loads = "\\objupdate"
        $class1 = "Equation.3" nocase
        $class2 = "4571756174696f6e2e33" nocase
    condition:
        $rtf at 0 and $loads and any of ($class*)
}
"""

ANYWHERE = yara_x.compile(_ANYWHERE)
PICTURES = yara_x.compile(_PICTURES)
DOCUMENTS = yara_x.compile(_DOCUMENTS)
