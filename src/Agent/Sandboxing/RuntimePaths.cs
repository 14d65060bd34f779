using static Dunlin.Agent.Sandboxing.Landlock;

namespace Dunlin.Agent.Sandboxing;

/// <summary>What a process needs in order to run at all: itself, shared libraries, and what .NET and ONNX Runtime read about the machine.</summary>
internal static class RuntimePaths
{
    private static readonly string[] Libraries = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib"];
    private static readonly string[] Facts =
    [
        "/etc/ld.so.cache", "/proc", "/sys/devices/system", "/sys/class/hwmon", "/sys/class/thermal", "/sys/devices/virtual/thermal", "/sys/devices/platform", "/sys/fs/cgroup",
        "/dev/urandom", "/dev/random", "/dev/zero",
    ];

    /// <summary>What a camera program may see besides: devices, and what name resolution and TLS read. Not /etc as a whole: our own configuration lies there.</summary>
    private static readonly string[] ForeignReading =
    [
        "/usr/share", "/sys", "/run/udev", "/run/systemd/resolve", "/etc/ssl", "/etc/ca-certificates", "/etc/pki", "/etc/resolv.conf", "/etc/hosts",
        "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services", "/etc/localtime", "/etc/passwd", "/etc/group", "/etc/fonts", "/etc/alternatives",
    ];

    /// <summary>No JIT and no shared runtime: the host that loads those leaves the list of assemblies. (RuntimeFeature says what the project asked for, also in builds that are not.)</summary>
    public static bool IsCompiledAhead => AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") is null;

    public static IEnumerable<(string Path, Access Access)> Of(SandboxRules rules)
    {
        foreach (var path in Libraries) yield return (path, Access.Running);
        foreach (var path in Facts) yield return (path, Access.Reading);
        yield return ("/dev/null", Access.ReadFile | Access.WriteFile);
        yield return (AppContext.BaseDirectory, Access.Running);
        if (Environment.ProcessPath is { } program) yield return (program, Access.Running);
        if (SharedRuntime() is { } shared) yield return (shared, Access.Running);
        if (!rules.Foreign) yield break;
        foreach (var path in (string[])["/usr/bin", "/bin", "/usr/local/bin"]) yield return (path, Access.Running);
        foreach (var path in ForeignReading) yield return (path, Access.Reading);
        yield return ("/dev", Access.Device | Access.ReadFolder);
    }

    /// <summary>The folder of <c>dotnet</c>: the one above <c>shared/NAME/VERSION/NAME.deps.json</c>.</summary>
    private static string? SharedRuntime() =>
        AppContext.GetData("FX_DEPS_FILE") is string file ? Path.GetFullPath(Path.Combine(file, "../../../..")) : null;
}
