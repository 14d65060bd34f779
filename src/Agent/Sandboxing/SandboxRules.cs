using System.Globalization;

namespace Dunlin.Agent.Sandboxing;

/// <summary>What a child may do; travels as its arguments.</summary>
public sealed record SandboxRules
{
    /// <summary>Files and folders to be read.</summary>
    public IReadOnlyList<string> Read { get; init; } = [];

    /// <summary>Folders to be read and written.</summary>
    public IReadOnlyList<string> Write { get; init; } = [];

    /// <summary>Devices to be opened and controlled, for example <c>/dev/video0</c>.</summary>
    public IReadOnlyList<string> Devices { get; init; } = [];

    /// <summary>Bytes of private writable memory (RLIMIT_DATA); 0: no limit.</summary>
    public long DataByteCount { get; init; }

    /// <summary>CPU seconds (RLIMIT_CPU); 0: no limit.</summary>
    public int CpuSeconds { get; init; }

    /// <summary>Bytes of the largest file that it may write (RLIMIT_FSIZE).</summary>
    public long FileByteCount { get; init; }

    /// <summary>A process that is not ours (a camera program): it may use the network and start others, and gets no seccomp filter.</summary>
    public bool Foreign { get; init; }

    private const string Prefix = "--";
    private const string ReadName = "--read", WriteName = "--write", DeviceName = "--device", DataName = "--data", CpuName = "--cpu", FileName = "--file", ForeignName = "--foreign";

    public IReadOnlyList<string> ToArguments() =>
    [
        .. Read.SelectMany(path => new[] { ReadName, path }),
        .. Write.SelectMany(path => new[] { WriteName, path }),
        .. Devices.SelectMany(path => new[] { DeviceName, path }),
        DataName, DataByteCount.ToString(CultureInfo.InvariantCulture),
        CpuName, CpuSeconds.ToString(CultureInfo.InvariantCulture),
        FileName, FileByteCount.ToString(CultureInfo.InvariantCulture),
        .. Foreign ? new[] { ForeignName } : [],
    ];

    /// <summary>Reads what <see cref="ToArguments"/> wrote, up to the first argument that is none of its names.</summary>
    /// <exception cref="FormatException">A value is missing or no number.</exception>
    public static SandboxRules FromArguments(IReadOnlyList<string> arguments, out int used)
    {
        var (read, write, devices) = (new List<string>(), new List<string>(), new List<string>());
        var rules = new SandboxRules { Read = read, Write = write, Devices = devices };
        used = 0;
        while (used < arguments.Count && arguments[used].StartsWith(Prefix, StringComparison.Ordinal))
        {
            var name = arguments[used];
            if (name is ForeignName)
            {
                rules = rules with { Foreign = true };
                used++;
                continue;
            }

            if (used + 1 == arguments.Count) throw new FormatException($"The argument '{name}' of a child has no value.");
            var value = arguments[used + 1];
            switch (name)
            {
                case ReadName: read.Add(value); break;
                case WriteName: write.Add(value); break;
                case DeviceName: devices.Add(value); break;
                case DataName: rules = rules with { DataByteCount = long.Parse(value, CultureInfo.InvariantCulture) }; break;
                case CpuName: rules = rules with { CpuSeconds = int.Parse(value, CultureInfo.InvariantCulture) }; break;
                case FileName: rules = rules with { FileByteCount = long.Parse(value, CultureInfo.InvariantCulture) }; break;
                default: return rules;
            }

            used += 2;
        }

        return rules;
    }
}
