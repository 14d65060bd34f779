using System.Runtime.InteropServices;

namespace Dunlin.Runtime.Sessions;

/// <summary>Environment variables as native libraries of this process read them: .NET keeps its own copy.</summary>
public static partial class NativeEnvironment
{
    /// <summary>Before the library that reads it is loaded.</summary>
    /// <param name="name">Of the variable.</param>
    /// <param name="value">Its new value.</param>
    /// <param name="overwrites">Whether what somebody else has set gives way.</param>
    public static void Set(string name, string value, bool overwrites) => _ = SetVariable(name, value, overwrites ? 1 : 0);

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);
}
