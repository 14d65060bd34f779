using System.ComponentModel;
using System.Runtime.InteropServices;
using Dunlin.Agent.Sandboxing;

namespace Dunlin.Agent.Children;

/// <summary>posix_spawn with exactly the descriptors that a child is to have.</summary>
internal static unsafe class Spawn
{
    private const int OpaqueByteCount = 1024;
    private const short SetGroup = 2, SetDefaultSignals = 4, SetSignalMask = 8;

    /// <summary>Starts the program with <paramref name="descriptors"/>[i] as descriptor i (null: closed) and returns its process id. Its signals are the defaults.</summary>
    /// <exception cref="Win32Exception">The program could not be started; the message names it.</exception>
    public static int Start(ChildStart start, IReadOnlyList<Descriptor?> descriptors)
    {
        var actions = NativeMemory.AllocZeroed(OpaqueByteCount);
        var attributes = NativeMemory.AllocZeroed(OpaqueByteCount);
        var signals = NativeMemory.AllocZeroed(OpaqueByteCount);
        using var arguments = new NullTerminated([start.Executable, .. start.Arguments]);
        using var environment = new NullTerminated(start.Environment);
        Check(Libc.FileActionsInit(actions), start);
        Check(Libc.AttributesInit(attributes), start);
        try
        {
            Check(Libc.FileActionsAddChangeDirectory(actions, start.WorkingDirectory), start);
            for (var target = 0; target < descriptors.Count; target++)
                if (descriptors[target] is { } source) Check(Libc.FileActionsAddDup2(actions, source.Number, target), start);
            Check(Libc.FileActionsAddCloseFrom(actions, descriptors.Count), start);
            _ = Libc.FillSignals(signals);
            Check(Libc.AttributesSetDefaultSignals(attributes, signals), start);
            _ = Libc.EmptySignals(signals);
            Check(Libc.AttributesSetSignalMask(attributes, signals), start);
            Check(Libc.AttributesSetProcessGroup(attributes, 0), start);
            Check(Libc.AttributesSetFlags(attributes, SetGroup | SetDefaultSignals | SetSignalMask), start);
            fixed (byte* path = NullTerminated.Path(start.Executable))
            {
                Check(Libc.PosixSpawn(out var pid, path, actions, attributes, arguments.Pointers, environment.Pointers), start);
                return pid;
            }
        }
        finally
        {
            _ = Libc.FileActionsDestroy(actions);
            _ = Libc.AttributesDestroy(attributes);
            NativeMemory.Free(actions);
            NativeMemory.Free(attributes);
            NativeMemory.Free(signals);
        }
    }

    private static void Check(int error, ChildStart start)
    {
        if (error != 0)
            throw new Win32Exception(error, $"The {start.Name} '{start.Executable}' could not be started in '{start.WorkingDirectory}': {Libc.Describe(error)}; check that both exist and may be read and executed.");
    }
}
