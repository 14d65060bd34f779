using System.Reflection;
using Microsoft.ML.OnnxRuntime;

namespace Dunlin.Agent.Racing;

/// <summary>What the agent was built with, read from the managed assembly: the supervisor never loads libonnxruntime.</summary>
internal static class OnnxRuntime
{
    /// <summary>For example 1.31.1; a child whose library is of another version is refused when it greets.</summary>
    public static string Version { get; } = typeof(SessionOptions).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
}
