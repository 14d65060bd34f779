using System.Text;
using Dunlin.Contracts.Artifacts;

namespace Dunlin.Runtime.Sessions;

/// <summary>All that a saved model depends on; its hex digits name the folder below <c>cache/</c>.</summary>
public static class SavedModelKey
{
    /// <param name="variant">Digest of the ONNX file.</param>
    /// <param name="onnxRuntimeVersion">As a child reported it.</param>
    /// <param name="cpuFlags">Flags of <c>/proc/cpuinfo</c>, in any order.</param>
    /// <param name="executionProvider">ONNX Runtime's name.</param>
    public static Digest Compute(Digest variant, string onnxRuntimeVersion, IEnumerable<string> cpuFlags, string executionProvider)
    {
        var flags = string.Join(' ', cpuFlags.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
        return Digest.Of(Encoding.UTF8.GetBytes(
            string.Join('\n', variant, onnxRuntimeVersion, flags, executionProvider, SessionSettings.Signature)));
    }
}
