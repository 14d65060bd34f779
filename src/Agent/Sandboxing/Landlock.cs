using System.Runtime.InteropServices;

namespace Dunlin.Agent.Sandboxing;

/// <summary>
/// The kernel's file system sandbox for unprivileged processes: every path that is not allowed is refused, for the
/// calling thread and what it executes. Also no TCP (ABI 4), no abstract sockets and no signals to the outside (ABI 6).
/// Source: Documentation/userspace-api/landlock.rst.
/// </summary>
internal static unsafe class Landlock
{
    private const nint CreateRuleset = 444, AddRule = 445, RestrictSelf = 446;
    private const nint VersionFlag = 1, PathBeneath = 1;
    private const int TruncateAbi = 3, NetworkAbi = 4, DeviceControlAbi = 5, ScopeAbi = 6, ReferAbi = 2;

    /// <summary>The calling thread and what it executes from now on sees only what <paramref name="rules"/> and <paramref name="runtime"/> name. Needs no_new_privs.</summary>
    /// <returns>What the kernel lacks, each in a sentence.</returns>
    public static IReadOnlyList<string> Enter(SandboxRules rules, IEnumerable<(string Path, Access Access)> runtime)
    {
        var abi = Abi();
        var missing = Missing(abi, rules.Foreign);
        if (abi < 1) return missing;
        var handled = Access.Everything;
        if (abi < ReferAbi) handled &= ~Access.Refer;
        if (abi < TruncateAbi) handled &= ~Access.Truncate;
        if (abi < DeviceControlAbi) handled &= ~Access.DeviceControl;

        var attributes = new Ruleset
        {
            Files = handled,
            Network = rules.Foreign ? 0 : NetworkRights.Bind | NetworkRights.Connect,
            Scoped = rules.Foreign ? Scopes.Signals : Scopes.Signals | Scopes.AbstractSockets,
        };
        var size = abi < NetworkAbi ? 8 : abi < ScopeAbi ? 16 : sizeof(Ruleset);
        var ruleset = (int)Libc.Syscall(CreateRuleset, (nint)(&attributes), size, 0, 0, 0);
        if (ruleset < 0) return [$"Landlock cannot be used ({Libc.LastError()})."];
        foreach (var (path, access) in runtime) Allow(ruleset, path, access & handled, required: false);
        foreach (var path in rules.Read) Allow(ruleset, path, Access.Reading & handled, required: true);
        foreach (var path in rules.Write) Allow(ruleset, path, (Access.Everything & ~Access.Execute & ~Access.DeviceControl) & handled, required: true);
        foreach (var path in rules.Devices) Allow(ruleset, path, Access.Device & handled, required: false);
        var result = Libc.Syscall(RestrictSelf, ruleset, 0, 0, 0, 0);
        var error = Libc.LastError();
        _ = Libc.Close(ruleset);
        if (result < 0) missing.Add($"Landlock refuses to restrict the process ({error}).");
        return missing;
    }

    /// <summary>The version that this kernel has; less than 1 where it has none, or it is switched off.</summary>
    public static int Abi() => (int)Libc.Syscall(CreateRuleset, 0, 0, VersionFlag, 0, 0);

    /// <summary>What a version lacks, each in a sentence.</summary>
    /// <param name="abi">As <see cref="Abi"/> has just said.</param>
    /// <param name="foreign">As in the child's <see cref="SandboxRules"/>.</param>
    public static List<string> Missing(int abi, bool foreign)
    {
        if (abi < 1)
            return [$"Landlock is missing ({Libc.LastError()}): a child may read what the agent's user may read; use Linux 5.13 or newer with 'landlock' in the lsm= list."];
        var missing = new List<string>();
        if (abi < TruncateAbi) missing.Add($"Landlock ABI {abi} does not cover truncation (Linux 6.2 does): a child may empty files that it may not read.");
        if (abi < ScopeAbi && foreign) missing.Add($"Landlock ABI {abi} does not cover signals (Linux 6.12 does): a camera program may signal the agent.");
        return missing;
    }

    private static void Allow(int ruleset, string path, Access access, bool required)
    {
        var descriptor = Libc.Open(path, Libc.PathOnly | Libc.CloseOnExec, 0);
        if (descriptor < 0)
        {
            if (required) throw new IOException($"The child may use '{path}', but that cannot be opened: {Libc.LastError()}; it must exist before the child starts.");
            return;
        }

        var rule = new PathRule { Allowed = Directory.Exists(path) ? access : access & Access.OfFile, Parent = descriptor };
        var result = Libc.Syscall(AddRule, ruleset, PathBeneath, (nint)(&rule), 0, 0);
        var error = Libc.LastError();
        _ = Libc.Close(descriptor);
        if (result < 0) throw new IOException($"Landlock refuses a rule for '{path}': {error}.");
    }

    /// <summary>LANDLOCK_ACCESS_FS_….</summary>
    [Flags]
    internal enum Access : ulong
    {
        None = 0,
        Execute = 1 << 0,
        WriteFile = 1 << 1,
        ReadFile = 1 << 2,
        ReadFolder = 1 << 3,
        Refer = 1 << 13,
        Truncate = 1 << 14,
        DeviceControl = 1 << 15,
        Everything = (1 << 16) - 1,
        Reading = ReadFile | ReadFolder,
        Running = Reading | Execute,
        Device = ReadFile | WriteFile | DeviceControl,
        OfFile = Execute | WriteFile | ReadFile | Truncate | DeviceControl,
    }

    [Flags]
    private enum NetworkRights : ulong
    {
        Bind = 1,
        Connect = 2,
    }

    [Flags]
    private enum Scopes : ulong
    {
        AbstractSockets = 1,
        Signals = 2,
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Ruleset
    {
        public Access Files;
        public NetworkRights Network;
        public Scopes Scoped;
    }

    /// <summary>struct landlock_path_beneath_attr, packed.</summary>
    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private struct PathRule
    {
        public Access Allowed;
        public int Parent;
    }
}
